"""The axes of a quantity: whether it depends on the sample, the postsynaptic and the presynaptic neuron."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

import sympy


class Axis(enum.Flag):
    """The axes of a quantity. The replica is left out, since every quantity may depend on it.

    SAMPLE also stands for a number that all samples share but that is known only once they have been computed, such
    as a mean over the batch.
    """

    NONE = 0
    SAMPLE = enum.auto()
    POST = enum.auto()
    PRE = enum.auto()
    SYNAPSE = POST | PRE


def axes_of(expression: sympy.Expr, axes: Mapping[sympy.Symbol, Axis]) -> Axis:
    """Return the axes of an expression: those of its symbols, except for the axes that sums and means remove.

    Args:
        expression: an expression in the symbols of `axes`.
        axes: the axes of each symbol.
    Returns:
        The axes of the expression.
    Example:
        >>> import sympy
        >>> from circuitsim.rules import Axis, axes_of
        >>> post, w = sympy.symbols("post w", real=True)
        >>> Axis.POST in axes_of(post * w, {post: Axis.SAMPLE | Axis.POST, w: Axis.SYNAPSE})
        True
    """
    if expression.is_Symbol:
        return axes[expression]
    found = Axis.NONE
    for argument in expression.args:
        found |= axes_of(argument, axes)
    left = LEFT.get(type(expression).__name__)
    return found if left is None else left(found)


# What each reduction leaves of the axes of its argument. A mean is known only once the samples are.
LEFT: dict[str, Callable[[Axis], Axis]] = {
    "sum_in": lambda inner: inner & Axis.SAMPLE | Axis.POST,
    "max_in": lambda inner: inner & Axis.SAMPLE | Axis.POST,
    "sum_out": lambda inner: inner & Axis.SAMPLE | Axis.PRE,
    "max_out": lambda inner: inner & Axis.SAMPLE | Axis.PRE,
    "mean": lambda inner: Axis.SAMPLE if inner else Axis.NONE,
}
