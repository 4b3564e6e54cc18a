"""One line of the bench's table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from circuitsim.studies.bench.timing import Timing


@dataclass(frozen=True)
class Row:
    """One measurement.

    Args:
        bench, case, contestant: what was measured.
        value, low, high: median and quartiles, in `unit`.
        unit: "ms", "s", "MB" or "ns".
        ours_over: our figure over this one (for a loop of solo circuits its inverse is the gain).
        at_most: the target for `ours_over`, or None.
    """

    bench: str
    case: str
    contestant: str
    value: float
    low: float
    high: float
    unit: str
    ours_over: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> str:
        """Whether the target is reached."""
        if self.at_most is None or self.ours_over is None:
            return ""
        return "yes" if self.ours_over <= self.at_most else "no"


def rows_of(
    bench: str,
    case: str,
    timings: Mapping[str, Timing],
    ours: str,
    limits: Mapping[str, float],
    unit: str = "ms",
    per: float = 1e-3,
) -> list[Row]:
    """A row for each contestant.

    Args:
        bench, case: as in `Row`.
        timings: by contestant, in seconds.
        ours: which of them is ours.
        limits: contestant -> target for our time over its.
        unit, per: what to show, and how many seconds it is.
    """
    return [
        Row(
            bench, case, name, t.median / per, t.low / per, t.high / per, unit,
            None if name == ours else timings[ours].median / t.median, limits.get(name),
        )
        for name, t in timings.items()
    ]  # fmt: skip
