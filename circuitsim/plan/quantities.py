"""The names of everything that a step computes, as symbols: activity[up1], I[V1], w[V1], W0.eta."""

from __future__ import annotations

import sympy


def quantity(kind: str, name: str) -> sympy.Symbol:
    """The symbol ``kind[name]``.

    Args:
        kind: "activity", "drive", "slope" or "trace" of a population; "I" (current) or "w" of a projection.
        name: of the population or projection.
    """
    return sympy.Symbol(f"{kind}[{name}]", real=True)


def of_rule(projection: str, name: str) -> sympy.Symbol:
    """The symbol ``projection.name`` of something that one rule has for itself: a parameter, a reduction."""
    return sympy.Symbol(f"{projection}.{name}", real=True)
