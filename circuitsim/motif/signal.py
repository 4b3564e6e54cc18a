"""Signals are numbers that every rule may read, such as a reward or the size of the error."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False)
class Signal(Value):
    """A third factor that every rule may read.

    Without an expression the caller passes one number per sample to each step, such as a reward. With an expression the
    circuit computes one number itself, at the end of each cycle.

    Args:
        name: an identifier, unique among the signals.
        expression: None, or an expression in `activity_<population>`, `drive_<population>` and
            `slope_<population>`, each within a `mean(...)` over batch and population.
    Example:
        >>> import circuitsim as cs
        >>> cs.Signal("error_size", "sqrt(mean(activity_down2**2))")
        Signal(name='error_size', expression='sqrt(mean(activity_down2**2))')
    """

    name_fields = ("name",)

    name: str
    expression: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the caller passes the signal to each step."""
        return self.expression is None
