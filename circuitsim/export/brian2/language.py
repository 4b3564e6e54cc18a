"""Translate expressions of a plan into Brian2's language.

Brian2 has no `where`, `minimum` or `relu`. They are expressed by `clip` and by the function `where` of `lacking`.
Numbers are written as floats and indicators are multiplied by 1.0, because the C++ target computes with the types it
finds. The C++ `sign` returns an integer, which Brian2 takes for a float: ``clip(sign(x), -0.5, 0.5)`` would be 0.
Brian2 optimises a factor of 1.0 away, so `sign` is wrapped in `where`, which returns a float.

A comparison that is a factor is a gate (docs/semantics.md): ``eta * (pre > 0) / pre`` becomes
``where(int(pre > 0.0), eta*(1.0/pre), 0.0)``, in which a value that is not selected has no effect, even if it is NaN.

A variable of Brian2 may not have the name of a unit, constant, function, attribute or special variable, such as `e`,
`t`, `xi` or `delay`, nor end with _pre or _post, nor contain Greek letters. Between a beginning and an ending of their
own, a user's names cannot meet any of these, nor the names that the export itself chooses. Parameters that are called
after a Greek letter, such as `eta`, keep their names, which mean nothing else to Brian2. States do not, because SymPy
takes `beta`, `gamma` and `zeta` in a differential equation for functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sympy

from circuitsim.rules import SlowTerm, Term
from circuitsim.rules.functions import COMPARISONS
from circuitsim.rules.terms import ONE

Names = Mapping[sympy.Expr, str]
Bounds = tuple[float | None, float | None]

OPERATORS = {"greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
FUNCTIONS = {
    "absolute": "abs({})",
    "sign": "where(1.0, sign({}), 0.0)",
    "relu": "clip({}, 0.0, inf)",
    "tanh": "tanh({})",
    "exp": "exp({})",
    "sqrt": "sqrt({})",
    "minimum": "clip({}, -inf, {})",
    "maximum": "clip({}, {}, inf)",
    "clip": "clip(clip({}, {}, inf), -inf, {})",  # where low > high the upper bound wins, on every target
    "where": "where({}, {}, {})",
}
PLAIN = (  # without xi and pi, which Brian2 knows
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "rho", "sigma", "tau",
    "phi", "chi", "psi", "omega",
)  # fmt: skip
_SUM, _PRODUCT, _ATOM = 1, 2, 3  # precedence of the outermost operation


def text(expression: sympy.Expr, names: Names) -> str:
    """Write an expression in Brian2's language.

    Args:
        expression: an expression in the functions of the rule language, without `mean` and sums over synapses.
        names: the Brian2 name of each symbol. It may also name a whole subexpression; a comparison that has a name is
            not treated as a gate.
    """
    return _render(expression, names)[0]


def term_text(term: Term | SlowTerm, names: Names) -> str:
    """Write a term of a rule for one sample, as a product in which every gate applies to all other factors."""
    if isinstance(term, SlowTerm):
        return text(term.expression, names)
    is_negative = term.coefficient.as_coeff_Mul()[0].is_negative
    coefficient = -term.coefficient if is_negative else term.coefficient
    factors = [coefficient, term.weight, term.post, term.pre]
    return ("-" if is_negative else "") + _product(factors, names)[0]


def total(summands: list[str]) -> str:
    """Join texts, each a product or a sum, into a sum."""
    return "".join(f" - {s[1:]}" if s.startswith("-") else f" + {s}" for s in summands).removeprefix(" + ").strip()


def _product(factors: Iterable[sympy.Expr], names: Names) -> tuple[str, int]:
    """The product of the factors that are not 1, and its precedence."""
    parts = (factor for e in factors for factor in ((e,) if e in names else sympy.Mul.make_args(e)))
    flat = [factor for factor in parts if factor != ONE]
    gates = [factor for factor in flat if isinstance(factor, COMPARISONS) and factor not in names]
    rest = [factor for factor in flat if factor not in gates]
    if rest[:1] == [-ONE]:
        return "-" + _product([*rest[1:], *gates], names)[0], _SUM
    if not gates:
        return "*".join(_within(factor, names, _PRODUCT) for factor in rest) or "1.0", _PRODUCT
    conditions = [_condition(gate, names) for gate in gates]
    is_open = conditions[0] if len(conditions) == 1 else " and ".join(f"({c})" for c in conditions)
    if not rest:
        return f"(1.0*int({is_open}))", _ATOM
    return f"where(int({is_open}), {_product(rest, names)[0]}, 0.0)", _ATOM


def _condition(e: sympy.Expr, names: Names) -> str:
    left, right = (text(argument, names) for argument in e.args)
    return f"{left} {OPERATORS[type(e).__name__]} {right}"


def _render(e: sympy.Expr, names: Names) -> tuple[str, int]:
    if e.is_Symbol or e in names:
        return names[e], _ATOM
    if e.is_Number:
        return repr(float(e)), _SUM if e.is_negative else _ATOM
    if e.is_Add:
        return total([_within(a, names, _SUM) for a in e.args]), _SUM
    if e.is_Mul or isinstance(e, COMPARISONS):
        return _product([e], names)
    if e.is_Pow and e.exp == -1:
        return f"(1.0/{_within(e.base, names, _ATOM)})", _ATOM
    if e.is_Pow:
        return f"{_within(e.base, names, _ATOM)}**{e.exp if e.exp >= 0 else f'({e.exp})'}", _PRODUCT
    if type(e).__name__ == "power":
        return f"{_within(e.args[0], names, _ATOM)}**{_within(e.args[1], names, _ATOM)}", _PRODUCT
    return FUNCTIONS[type(e).__name__].format(*(text(a, names) for a in e.args)), _ATOM


def _within(e: sympy.Expr, names: Names, level: int) -> str:
    """The text, in parentheses if its precedence is below `level`."""
    inner, binds = _render(e, names)
    return inner if binds >= level else f"({inner})"


def clipped(value: str, bounds: Bounds | None) -> str:
    """The expression of a value within bounds, if there are any."""
    low, high = ("" if bound is None else repr(float(bound)) for bound in bounds or (None, None))
    return f"clip({value}, {low or '-inf'}, {high or 'inf'})" if low or high else value


def at_once(changes: Sequence[tuple[str, str, str]]) -> list[str]:
    """The statements of changes, all computed from the values before them.

    Args:
        changes: (variable, "=" or "+=", expression).
    """
    for k, (variable, _, _) in enumerate(changes):
        if any(re.search(rf"\b{variable}\b", expression) for _, _, expression in changes[k + 1 :]):
            before = [f"value_{variable} = {expression}" for variable, _, expression in changes]
            return before + [f"{variable} {operator} value_{variable}" for variable, operator, _ in changes]
    return [f"{variable} {operator} {expression}" for variable, operator, expression in changes]


def of_parameter(name: str) -> str:
    """The Brian2 constant for a parameter of a rule."""
    return name if name in PLAIN else of_synapse(name)


def of_synapse(name: str) -> str:
    """The Brian2 variable for a state of synapses."""
    return f"{_ascii(name)}_syn"


def of_neuron(name: str) -> str:
    """The Brian2 variable for a state of neurons."""
    return f"{_ascii(name)}_cell"


def as_declared(variable: str) -> str:
    """The name that the user gave to what a Brian2 variable holds, or the variable itself."""
    return re.sub(r"^own_(\w+)_(syn|cell)$", r"\1", variable)


def _ascii(name: str) -> str:
    return f"own_{name}" if name.isascii() else f"hex_{name.encode().hex()}"
