"""The functions of the rule language, as SymPy functions that SymPy does not rewrite.

SymPy's own Abs, exp, Max, ... simplify on construction (``exp(a)*exp(b)`` becomes ``exp(a + b)``, which no
longer factors); these stay as written. Each knows its derivative, since slopes are derived from activations.
"""

from __future__ import annotations

from typing import Any

import sympy


class RuleFunction(sympy.Function):
    """A function applied element by element."""

    is_real = True


def _function(name: str, n_args: int, derivatives: Any) -> Any:  # a class; SymPy is untyped
    """A new function of the language; `derivatives` gives those with respect to each argument."""

    def fdiff(self: RuleFunction, argindex: int = 1) -> sympy.Expr:
        return derivatives(*self.args)[argindex - 1]

    return type(name, (RuleFunction,), {"fdiff": fdiff, "nargs": n_args})


def _flat(*args: Any) -> tuple[sympy.Expr, ...]:
    return (sympy.Integer(0),) * len(args)


# Comparisons give 1 or 0.
greater = _function("greater", 2, _flat)
greater_equal = _function("greater_equal", 2, _flat)
equal = _function("equal", 2, _flat)
not_equal = _function("not_equal", 2, _flat)
COMPARISONS = (greater, greater_equal, equal, not_equal)

sign: Any = _function("sign", 1, _flat)
absolute: Any = _function("absolute", 1, lambda x: (sign(x),))
relu: Any = _function("relu", 1, lambda x: (greater(x, 0),))  # slope 0 at 0
tanh: Any = _function("tanh", 1, lambda x: (1 - tanh(x) ** 2,))
exp: Any = _function("exp", 1, lambda x: (exp(x),))
sqrt: Any = _function("sqrt", 1, lambda x: (1 / (2 * sqrt(x)),))
power: Any = _function("power", 2, lambda x, y: (y * power(x, y - 1), sympy.nan))
minimum = _function("minimum", 2, lambda x, y: (greater_equal(y, x), greater(x, y)))
maximum = _function("maximum", 2, lambda x, y: (greater_equal(x, y), greater(y, x)))
clip = _function(
    "clip",
    3,
    lambda x, low, high: (
        greater(x, low) * greater(high, x),
        greater_equal(low, x) * greater(high, low),
        greater_equal(maximum(x, low), high),
    ),
)
where = _function("where", 3, lambda c, a, b: (sympy.Integer(0), not_equal(c, 0), equal(c, 0)))

mean = _function("mean", 1, lambda x: (sympy.nan,))  # over batch and population; traces only

# Over this projection's present synapses: onto the same postsynaptic neuron (in), of the same axon (out).
sum_in = _function("sum_in", 1, lambda x: (sympy.nan,))
sum_out = _function("sum_out", 1, lambda x: (sympy.nan,))
max_in = _function("max_in", 1, lambda x: (sympy.nan,))
max_out = _function("max_out", 1, lambda x: (sympy.nan,))

REDUCTIONS = {f.__name__: f for f in (sum_in, sum_out, max_in, max_out)}

ELEMENTWISE = {
    "where": where,
    "abs": absolute,
    "sign": sign,
    "relu": relu,
    "tanh": tanh,
    "exp": exp,
    "sqrt": sqrt,
    "minimum": minimum,
    "maximum": maximum,
    "clip": clip,
}

RULE_FUNCTIONS = {**ELEMENTWISE, **REDUCTIONS}
TRACE_FUNCTIONS = {**ELEMENTWISE, "mean": mean}
