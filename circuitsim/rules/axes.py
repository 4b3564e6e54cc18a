"""What a quantity depends on: the sample, the postsynaptic neuron, the presynaptic neuron."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import sympy


class Axis(enum.Flag):
    """Axes of a quantity (every quantity may depend on the replica too)."""

    NONE = 0
    SAMPLE = enum.auto()
    POST = enum.auto()
    PRE = enum.auto()
    SYNAPSE = POST | PRE


def axes_of(expression: sympy.Expr, axes: Mapping[sympy.Symbol, Axis]) -> Axis:
    """The union of the axes of all symbols in an expression.

    Args:
        expression: over known symbols.
        axes: what each symbol depends on.
    Returns:
        What the expression depends on.
    Example:
        >>> import sympy
        >>> from circuitsim.rules import Axis, axes_of
        >>> post, w = sympy.symbols("post w", real=True)
        >>> Axis.POST in axes_of(post * w, {post: Axis.SAMPLE | Axis.POST, w: Axis.SYNAPSE})
        True
    """
    found = Axis.NONE
    for symbol in expression.free_symbols:
        found |= axes[symbol]
    return found
