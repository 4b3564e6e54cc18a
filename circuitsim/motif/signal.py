"""Signals: numbers per sample that come from outside, such as a reward."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False)
class Signal(Value):
    """One number per sample, given to each step; every rule may name it (a third factor).

    Args:
        name: an identifier, unique among the signals.
    """

    name: str
