"""Bring a rule into normal form: expand, and sort the factors of each term by what they depend on.

``E_b[(a_i + b_i) c_j w_ij]`` becomes one matrix product and one elementwise product. This is an optimisation
only: a term that mixes both ends of a synapse with the sample is kept whole, as a `SlowTerm`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy

from circuitsim.errors import RuleError
from circuitsim.rules import functions as f
from circuitsim.rules.axes import Axis, axes_of
from circuitsim.rules.terms import ONE, Reduction, SlowTerm, Sum, Term

MAX_TERMS = 200  # an expansion beyond this costs more than it saves

Axes = dict[sympy.Symbol, Axis]
NOT_FINITE = (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo)


def factor(expression: sympy.Expr, axes: Mapping[sympy.Symbol, Axis]) -> Sum:
    """The normal form of `expression`, whose symbols have the given axes.

    Args:
        expression: read by `parse`.
        axes: what each of its symbols depends on.
    Returns:
        Terms that each take one matrix product or none, slow ones that do not factor, and the reductions they use.
    Raises:
        RuleError: it divides by zero, once it is multiplied out.
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
    expression = _extract_reductions(expression, axes, reductions)
    rule = Sum(tuple(_terms(expression, axes)), tuple(reductions), axes)
    terms = [*rule.terms, *(term for reduction in rule.reductions for term in reduction.body)]
    if any(part.has(*NOT_FINITE) for term in terms for part in term.expressions):
        raise RuleError("divides by zero, once it is multiplied out")
    return rule


def _extract_reductions(expression: sympy.Expr, axes: Axes, found: list[Reduction]) -> sympy.Expr:
    """Replace each sum or maximum over synapses, innermost first, by a symbol of its own."""
    if not expression.args:
        return expression
    expression = expression.func(*(_extract_reductions(argument, axes, found) for argument in expression.args))
    kind = type(expression).__name__
    if kind not in f.REDUCTIONS:
        return expression
    (body,) = expression.args
    inner = axes_of(body, axes)
    sampled = Axis.SAMPLE in inner
    terms = tuple(_terms(body, axes)) if kind.startswith("sum") else _whole(body, sampled)
    if not terms:
        return sympy.Integer(0)
    for known in found:
        if (known.kind, known.body) == (kind, terms):
            return known.symbol
    symbol = sympy.Symbol(f"{kind}_{len(found)}", real=True)
    end = Axis.POST if kind.endswith("in") else Axis.PRE
    axes[symbol] = end | (Axis.SAMPLE if sampled else Axis.NONE)
    found.append(Reduction(symbol, kind, terms, sampled))
    return symbol


def _whole(body: sympy.Expr, sampled: bool) -> tuple[Term | SlowTerm, ...]:
    """A maximum does not distribute over terms."""
    return (SlowTerm(body),) if sampled else (Term(ONE, weight=body),)


def _terms(expression: sympy.Expr, axes: Axes) -> list[Term | SlowTerm]:
    outline, parts = _outline(_split_where(expression, axes), axes)
    if _n_terms(outline) <= MAX_TERMS:
        outline = sympy.expand(outline, mul=True, multinomial=True, power_base=False, power_exp=False, log=False)
    factored: list[Term] = []
    mixed: list[sympy.Expr] = []
    for summand in (summand.xreplace(parts) for summand in outline.as_ordered_terms()):
        term = _sort_factors(summand, axes)
        if isinstance(term, Term):
            factored.append(term)
        else:
            mixed.append(summand)
    slow = [SlowTerm(sympy.Add(*mixed))] if mixed else []
    return [*_collect(_collect(factored, "post", "pre"), "pre", "post"), *slow]


def _outline(expression: sympy.Expr, axes: Axes) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Expr]]:
    """Stand symbols in for the parts that need no expansion, being factors already: ``(post - theta)**2``.

    Expanded they would cost more and lose digits where they are small differences.
    """
    symbols: dict[sympy.Expr, sympy.Symbol] = {}

    def outline(part: sympy.Expr) -> sympy.Expr:
        if not part.args:
            return part
        if part.is_Mul or axes_of(part, axes) == Axis.SAMPLE | Axis.SYNAPSE:
            return part.func(*map(outline, part.args))
        return symbols.setdefault(part, sympy.Symbol(f"part {len(symbols)}", real=True))

    return outline(expression), {symbol: part for part, symbol in symbols.items()}


def _sort_factors(summand: sympy.Expr, axes: Axes) -> Term | None:
    """A Term, or None where a factor depends on the sample and on both ends."""
    parts: dict[str, list[sympy.Expr]] = {"coefficient": [], "weight": [], "post": [], "pre": []}
    for part in sympy.Mul.make_args(summand):
        depends = axes_of(part, axes)
        if depends == Axis.SAMPLE | Axis.SYNAPSE:
            return None
        if Axis.SAMPLE not in depends:
            parts["weight" if depends else "coefficient"].append(part)
        else:
            parts["pre" if Axis.PRE in depends else "post"].append(part)
    for end, axis in (("post", Axis.POST), ("pre", Axis.PRE)):  # a vector over one end joins that end's data
        if parts[end]:
            parts[end] += [part for part in parts["weight"] if axes_of(part, axes) == axis]
            parts["weight"] = [part for part in parts["weight"] if axes_of(part, axes) != axis]
    if parts["coefficient"] == [sympy.Integer(0)]:
        return Term(sympy.Integer(0))
    return Term(**{name: sympy.Mul(*factors) for name, factors in parts.items()})


def _collect(terms: list[Term], summed: str, shared: str) -> list[Term]:
    """Terms that share their weight and one end need one matrix product: ``a_i c_j + b_i c_j = (a+b)_i c_j``."""
    groups: dict[tuple[Any, ...], list[Term]] = {}
    for term in terms:
        key = (term.weight, getattr(term, shared)) if term.has_data else (term,)
        groups.setdefault(key, []).append(term)
    collected = []
    for group in groups.values():
        if len(group) == 1:
            collected.append(group[0])
            continue
        if all(getattr(term, summed) == ONE for term in group):  # then the sum is no data
            total = sympy.Add(*(term.coefficient for term in group))
            collected.append(Term(total, group[0].weight, **{shared: getattr(group[0], shared)}))
            continue
        common = _common_factor([term.coefficient for term in group])
        total = sympy.Add(*(term.coefficient / common * getattr(term, summed) for term in group))
        collected.append(Term(common, group[0].weight, **{summed: total, shared: getattr(group[0], shared)}))
    return [term for term in collected if term.coefficient != 0]


def _common_factor(coefficients: list[sympy.Expr]) -> sympy.Expr:
    """The product of the symbols that stand in every coefficient."""
    shared = set.intersection(*({x for x in sympy.Mul.make_args(c) if not x.is_number} for c in coefficients))
    return sympy.Mul(*shared)


def _split_where(expression: sympy.Expr, axes: Axes) -> sympy.Expr:
    """``where(c, a, b)`` that mixes the ends becomes ``[c] a + [not c] b``, where that is exactly the same.

    It is not where a branch may be singular (0 * inf is not 0), nor does it help where c itself is mixed.
    """

    def mixed(part: sympy.Expr) -> bool:
        return axes_of(part, axes) == Axis.SAMPLE | Axis.SYNAPSE

    def applies(part: sympy.Expr) -> bool:
        return (
            isinstance(part, f.where) and mixed(part) and not mixed(part.args[0]) and all(map(_is_total, part.args[1:]))
        )

    def split(part: sympy.Expr) -> sympy.Expr:
        condition, yes, no = part.args
        is_indicator = isinstance(condition, f.COMPARISONS)
        return (condition if is_indicator else f.not_equal(condition, 0)) * yes + f.equal(condition, 0) * no

    return _replace(expression, applies, split)


def _replace(
    expression: sympy.Expr, applies: Callable[[sympy.Expr], bool], change: Callable[[sympy.Expr], sympy.Expr]
) -> sympy.Expr:
    if expression.args:
        expression = expression.func(*(_replace(argument, applies, change) for argument in expression.args))
    return change(expression) if applies(expression) else expression


def _is_total(expression: sympy.Expr) -> bool:
    """Whether finite arguments always give a finite value."""
    singular = expression.atoms(f.power, f.exp, f.sqrt)
    return not singular and all(p.exp.is_nonnegative for p in expression.atoms(sympy.Pow))


def _n_terms(expression: sympy.Expr) -> int:
    """How many terms an expansion would have; capped, so that it is cheap to ask."""
    if expression.is_Add:
        count = sum(_n_terms(a) for a in expression.args)
    elif expression.is_Mul:
        count = math.prod(_n_terms(a) for a in expression.args)
    elif expression.is_Pow and expression.exp.is_Integer and expression.exp > 1:
        count = math.comb(_n_terms(expression.base) + int(expression.exp) - 1, int(expression.exp))
    else:
        count = max((_n_terms(a) for a in expression.args), default=1)  # expansion enters arguments too
    return min(count, 10 * MAX_TERMS)
