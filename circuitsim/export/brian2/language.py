"""From an expression of the plan to one of Brian2.

Brian2 has no `where`, `minimum` or `relu`; `clip`, and one function that `simulation` adds (`where`), say them all.
Every number is written as a float and every indicator multiplied by 1.0, since the C++ target computes with the
types it finds. Its `sign` is an integer, which Brian2 takes for a float, so that ``clip(sign(x), -0.5, 0.5)`` would be
0, and a factor of 1.0 is optimised away; `where` is a float.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

Names = Mapping[sympy.Symbol, str]

FUNCTIONS = {
    "greater": "(1.0*int({} > {}))",
    "greater_equal": "(1.0*int({} >= {}))",
    "equal": "(1.0*int({} == {}))",
    "not_equal": "(1.0*int({} != {}))",
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

_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how tightly the outermost operation binds


def text(expression: sympy.Expr, names: Names) -> str:
    """The expression in Brian2's language.

    Args:
        expression: in the functions of the rule language; no `mean`, no sums over synapses.
        names: what each of its symbols is called in Brian2.
    """
    return _render(expression, names)[0]


def product(factors: list[sympy.Expr], names: Names) -> str:
    """The product of the factors that are not 1."""
    parts = [_within(factor, names, _PRODUCT) for factor in factors if factor != 1]
    return "*".join(parts) or "1.0"


def total(summands: list[str]) -> str:
    """The sum of texts, each a product or a sum."""
    return "".join(f" - {s[1:]}" if s.startswith("-") else f" + {s}" for s in summands).removeprefix(" + ").strip()


def _render(e: sympy.Expr, names: Names) -> tuple[str, int]:
    if e.is_Symbol:
        return names[e], _ATOM
    if e.is_Number:
        return repr(float(e)), _SUM if e.is_negative else _ATOM
    if e.is_Add:
        return total([_within(a, names, _SUM) for a in e.args]), _SUM
    if e.is_Mul and e.args[0] == -1:
        return "-" + product(list(e.args[1:]), names), _SUM
    if e.is_Mul:
        return product(list(e.args), names), _PRODUCT
    if e.is_Pow and e.exp == -1:
        return f"(1.0/{_within(e.base, names, _ATOM)})", _ATOM
    if e.is_Pow:
        return f"{_within(e.base, names, _ATOM)}**{_whole(int(e.exp))}", _PRODUCT
    if type(e).__name__ == "power":
        return f"{_within(e.args[0], names, _ATOM)}**{_within(e.args[1], names, _ATOM)}", _PRODUCT
    return FUNCTIONS[type(e).__name__].format(*(text(a, names) for a in e.args)), _ATOM


def _within(e: sympy.Expr, names: Names, level: int) -> str:
    """The text, in parentheses where it binds less tightly than its surroundings."""
    inner, binds = _render(e, names)
    return inner if binds >= level else f"({inner})"


def _whole(exponent: int) -> str:
    return str(exponent) if exponent >= 0 else f"({exponent})"
