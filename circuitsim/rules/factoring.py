"""Bring a rule into normal form by expanding it and sorting the factors of each term by their axes.

``E_b[(a_i + b_i) c_j w_ij]`` becomes one matrix product and one elementwise product. This is only an optimisation: a
term in which a factor depends on both ends of a synapse and on the sample becomes a `SlowTerm`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from circuitsim.errors import RuleError
from circuitsim.rules import functions as f
from circuitsim.rules.axes import LEFT, Axis, axes_of
from circuitsim.rules.terms import ONE, Reduction, SlowTerm, Sum, Term

MAX_TERMS = 200  # a larger expansion costs more than it saves

Axes = dict[sympy.Symbol, Axis]
NOT_FINITE = (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo)


def factor(
    expression: sympy.Expr, axes: Mapping[sympy.Symbol, Axis], prefix: str = "", per_sample: bool = False
) -> Sum:
    """Return the normal form of an expression.

    Args:
        expression: an expression from `parse`.
        axes: the axes of each of its symbols.
        prefix: a prefix for the names of the symbols that stand for sums over synapses.
        per_sample: whether each sample keeps a value of its own, so that nothing is gained by factoring.
    Returns:
        Terms that take at most one matrix product each, slow terms that do not factor, and the reductions they use.
    Raises:
        RuleError: the expanded expression divides by zero.
    Example:
        >>> import sympy
        >>> from circuitsim.rules import Axis, factor
        >>> post, pre, w = (sympy.Symbol(name, real=True) for name in ("post", "pre", "w"))
        >>> axes = {post: Axis.SAMPLE | Axis.POST, pre: Axis.SAMPLE | Axis.PRE, w: Axis.SYNAPSE}
        >>> print(factor(post * (pre - post * w), axes))
        -1 * w * E[post**2] + E[post*pre]
    """
    axes = dict(axes)
    reductions: list[Reduction] = []
    expression = _extract_reductions(expression, axes, reductions, prefix)
    summands = [SlowTerm(expression)] if per_sample else _terms(expression, axes)
    rule = Sum(tuple(summands), tuple(reductions), axes)
    if any(factor.has(*NOT_FINITE) for part in rule._parts for factor in part.expressions):
        raise RuleError("divides by zero after expansion")
    return rule


def _extract_reductions(expression: sympy.Expr, axes: Axes, found: list[Reduction], prefix: str) -> sympy.Expr:
    """Replace each mean, and each sum or maximum over synapses, innermost first, by a new symbol."""
    if not expression.args:
        return expression
    expression = expression.func(*(_extract_reductions(part, axes, found, prefix) for part in expression.args))
    kind = type(expression).__name__
    if kind not in f.REDUCTIONS:
        return expression
    (body,) = expression.args
    inner = axes_of(body, axes)
    if kind == "mean" and not inner:
        return body
    terms = tuple(_terms(body, axes, in_sum=True)) if kind.startswith("sum") else _whole_body(body, kind, inner)
    if not terms:
        return sympy.Integer(0)
    for known in found:
        if (known.kind, known.body) == (kind, terms):
            return known.symbol
    symbol = sympy.Symbol(f"{prefix}{kind}_{len(found)}", real=True)
    axes[symbol] = LEFT[kind](inner)
    found.append(Reduction(symbol, kind, terms))
    return symbol


def _whole_body(body: sympy.Expr, kind: str, axes: Axis) -> tuple[Term | SlowTerm, ...]:
    """Keep the body of a mean or a maximum as one term; a maximum does not distribute over sums."""
    if kind == "mean":
        return (Term(ONE, **{"pre" if Axis.PRE in axes else "post": body}),)
    return (SlowTerm(body),) if Axis.SAMPLE in axes else (Term(ONE, weight=body),)


def _terms(expression: sympy.Expr, axes: Axes, in_sum: bool = False) -> list[Term | SlowTerm]:
    skeleton, parts = _with_placeholders(_split_where(expression, axes), axes)
    if _n_terms(skeleton) <= MAX_TERMS:
        skeleton = sympy.expand(skeleton, mul=True, multinomial=True, power_base=False, power_exp=False, log=False)
    factored: list[Term] = []
    mixed: list[sympy.Expr] = []
    for summand in (summand.xreplace(parts) for summand in skeleton.as_ordered_terms()):
        term = _sort_factors(summand, axes, ("post", "pre", "weight") if in_sum else ("post", "pre"))
        if isinstance(term, Term):
            factored.append(term)
        else:
            mixed.append(summand)
    slow = [SlowTerm(sympy.Add(*mixed))] if mixed else []
    return [*_collect(_collect(factored, "post", "pre"), "pre", "post"), *slow]


def _with_placeholders(expression: sympy.Expr, axes: Axes) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Expr]]:
    """Replace the parts that need no expansion, such as ``(post - theta)**2``, by placeholder symbols.

    These parts are factors already. Expanding them would cost more, and lose precision to cancellation.
    """
    symbols: dict[sympy.Expr, sympy.Symbol] = {}

    def replace(part: sympy.Expr) -> sympy.Expr:
        if not part.args:
            return part
        if part.is_Mul or axes_of(part, axes) == Axis.SAMPLE | Axis.SYNAPSE:
            return part.func(*map(replace, part.args))
        return symbols.setdefault(part, sympy.Symbol(f"part {len(symbols)}", real=True))

    return replace(expression), {symbol: part for part, symbol in symbols.items()}


def _sort_factors(summand: sympy.Expr, axes: Axes, inside: Sequence[str]) -> Term | None:
    """Return a Term, or None if the summand does not factor.

    It does not factor if one factor depends on the sample and on both ends. It must not be factored either if a
    comparison would move into the matrix product while a factor that it guards, and that may be infinite, stays
    outside: a closed gate makes the whole product 0 (docs/semantics.md), but ``0 * inf`` is not 0. `inside` are the
    parts of a term that become factors of the matrix product.
    """
    parts: dict[str, list[sympy.Expr]] = {"coefficient": [], "weight": [], "post": [], "pre": []}
    for part in sympy.Mul.make_args(summand):
        depends = axes_of(part, axes)
        if depends == Axis.SAMPLE | Axis.SYNAPSE:
            return None
        if Axis.SAMPLE not in depends:
            parts["weight" if depends else "coefficient"].append(part)
        else:
            parts["pre" if Axis.PRE in depends else "post"].append(part)
    for end, axis in (("post", Axis.POST), ("pre", Axis.PRE)):  # merge vectors over one end into that end's factor
        if parts[end]:
            parts[end] += [part for part in parts["weight"] if axes_of(part, axes) == axis]
            parts["weight"] = [part for part in parts["weight"] if axes_of(part, axes) != axis]
    gated = next((end for end in inside if _is_gated(parts[end])), None)
    if gated is not None:  # behind the gate, a number that may be infinite is 0 where the gate is closed
        parts[gated] += [part for part in parts["coefficient"] if not _is_always_finite(part)]
        parts["coefficient"] = [part for part in parts["coefficient"] if _is_always_finite(part)]
    for end in filter(lambda end: _is_gated(parts[end]), inside):
        if not all(_is_always_finite(part) for name in parts.keys() - {end} for part in parts[name]):
            return None
    if parts["coefficient"] == [sympy.Integer(0)]:
        return Term(sympy.Integer(0))
    return Term(**{name: sympy.Mul(*factors) for name, factors in parts.items()})


def _collect(terms: list[Term], summed: str, shared: str) -> list[Term]:
    """Merge terms that share their weight and one end into one product: ``a_i c_j + b_i c_j = (a+b)_i c_j``."""
    groups: dict[tuple[Any, ...], list[Term]] = {}
    for term in terms:
        key = (term.weight, getattr(term, shared)) if term.has_data else (term,)
        groups.setdefault(key, []).append(term)
    collected = []
    for group in groups.values():
        if len(group) == 1:
            collected.append(group[0])
            continue
        if all(getattr(term, summed) == ONE for term in group):  # then the merged factor is a number
            total = sympy.Add(*(term.coefficient for term in group))
            collected.append(Term(total, group[0].weight, **{shared: getattr(group[0], shared)}))
            continue
        factors = [{x for x in sympy.Mul.make_args(term.coefficient) if not x.is_number} for term in group]
        common = sympy.Mul(*set.intersection(*factors))  # the symbolic factors that all coefficients share
        total = sympy.Add(*(term.coefficient / common * getattr(term, summed) for term in group))
        if total.is_number:  # the quantities have cancelled
            common, total = common * total, ONE
        collected.append(Term(common, group[0].weight, **{summed: total, shared: getattr(group[0], shared)}))
    return [term for term in collected if term.coefficient != 0]


def _is_gated(factors: list[sympy.Expr]) -> bool:
    return any(isinstance(factor, f.COMPARISONS) for factor in factors)


def _split_where(expression: sympy.Expr, axes: Axes) -> sympy.Expr:
    """Rewrite ``where(c, a, b)`` that mixes both ends as ``[c] a + [not c] b``, if c itself does not mix them.

    The two are equal, because a closed gate makes even an infinite factor 0.
    """

    def mixed(part: sympy.Expr) -> bool:
        return axes_of(part, axes) == Axis.SAMPLE | Axis.SYNAPSE

    if expression.args:
        expression = expression.func(*(_split_where(argument, axes) for argument in expression.args))
    if not isinstance(expression, f.where) or not mixed(expression) or mixed(expression.args[0]):
        return expression
    condition, yes, no = expression.args
    is_indicator = isinstance(condition, f.COMPARISONS)
    return (condition if is_indicator else f.not_equal(condition, 0)) * yes + f.equal(condition, 0) * no


LARGEST_POWER = 4  # larger powers of ordinary numbers may overflow float32


def _is_always_finite(expression: sympy.Expr) -> bool:
    """Return whether the value is finite for all arguments of ordinary size."""
    singular = expression.atoms(f.power, f.exp, f.sqrt)
    return not singular and all(0 <= p.exp <= LARGEST_POWER for p in expression.atoms(sympy.Pow))


def _n_terms(expression: sympy.Expr) -> int:
    """Return the number of terms after expansion, capped so that counting stays cheap."""
    if expression.is_Add:
        count = sum(_n_terms(a) for a in expression.args)
    elif expression.is_Mul:
        count = math.prod(_n_terms(a) for a in expression.args)
    elif expression.is_Pow and expression.exp.is_Integer and expression.exp > 1:
        count = math.comb(_n_terms(expression.base) + int(expression.exp) - 1, int(expression.exp))
    else:
        count = max((_n_terms(a) for a in expression.args), default=1)  # arguments are expanded too
    return min(count, 10 * MAX_TERMS)
