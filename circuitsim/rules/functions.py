"""The functions of the rule language, as SymPy functions that SymPy does not rewrite.

SymPy's own Abs, exp, Max, ... simplify on construction (``exp(a)*exp(b)`` becomes ``exp(a + b)``, which no longer
factors); the functions here stay as written. Each defines its derivative, because the slopes of activations are
derived symbolically.
"""

from __future__ import annotations

from typing import Any

import sympy


class RuleFunction(sympy.Function):
    """A function that is applied elementwise."""

    is_real = True


class OverNeurons(RuleFunction):
    """A function of all neurons of a population, for each sample. Slopes hold what the neurons share fixed."""


class Comparison(RuleFunction):
    """A comparison, which is 1 where it holds and 0 elsewhere; as a factor it acts as a gate."""

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        """Return the comparison itself for a positive integer exponent; SymPy calls this for every power."""
        return self if is_whole_and_positive(exponent) else None


def is_whole_and_positive(exponent: sympy.Expr) -> bool:
    """Return whether the exponent is a positive integer, written as 2 or as 2.0."""
    return bool(exponent.is_Number and exponent.is_finite and exponent > 0 and float(exponent).is_integer())


def _function(
    name: str, n_args: int, derivatives: Any, kind: type[RuleFunction] = RuleFunction
) -> Any:  # returns a class, but SymPy is untyped
    """Define a function of the language; `derivatives` returns the derivative with respect to each argument."""

    def fdiff(self: RuleFunction, argindex: int = 1) -> sympy.Expr:
        return derivatives(*self.args)[argindex - 1]

    return type(name, (kind,), {"fdiff": fdiff, "nargs": n_args})


def _flat(*args: Any) -> tuple[sympy.Expr, ...]:
    return (sympy.Integer(0),) * len(args)


# Comparisons give 1 or 0.
greater = _function("greater", 2, _flat, Comparison)
greater_equal = _function("greater_equal", 2, _flat, Comparison)
equal = _function("equal", 2, _flat, Comparison)
not_equal = _function("not_equal", 2, _flat, Comparison)
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

mean = _function("mean", 1, lambda x: (sympy.nan,))  # over batch and population; not for activations

softmax: Any = _function("softmax", 1, lambda x: (softmax(x),), OverNeurons)  # the slope of exp(x) / normaliser
OVER_NEURONS = {name: _function(name, 1, _flat, OverNeurons) for name in ("sum", "max", "norm", "rank")}
OVER_NEURONS["softmax"] = softmax

# Reductions run over the projection's existing synapses onto the same neuron (in) or of the same axon (out).
sum_in, sum_out, max_in, max_out = (
    _function(name, 1, lambda x: (sympy.nan,)) for name in ("sum_in", "sum_out", "max_in", "max_out")
)
REDUCTIONS = {f.__name__: f for f in (sum_in, sum_out, max_in, max_out, mean)}

ELEMENTWISE = {f.__name__: f for f in (where, sign, relu, tanh, exp, sqrt, minimum, maximum, clip)} | {"abs": absolute}
RULE_FUNCTIONS = {**ELEMENTWISE, **REDUCTIONS}
ACTIVATION_FUNCTIONS = {**ELEMENTWISE, **OVER_NEURONS}
TRACE_FUNCTIONS = {**ACTIVATION_FUNCTIONS, "mean": mean}
SIGNAL_FUNCTIONS = {**ELEMENTWISE, "mean": mean}
