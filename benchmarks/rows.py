"""The rows of the benchmark's table, with their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.timing import Spread


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Args:
        bench, case: the benchmark and its size.
        contestant: the program that was measured.
        over: if not "", the row is a ratio to the value of this contestant.
        value, low, high: median and quartiles, in `unit`.
        unit: "ms", "s", "MB" or "ns"; "" for a ratio.
        at_most: the target for `value`, or None.
    """

    bench: str
    case: str
    contestant: str
    over: str
    value: float
    low: float
    high: float
    unit: str
    at_most: float | None = None

    @property
    def met(self) -> str:
        """ "met" or "missed"; "" without a target."""
        if self.at_most is None:
            return ""
        return "met" if self.value <= self.at_most else "missed"


@dataclass(frozen=True)
class Target:
    """The largest allowed ratio of circuitsim's time to another program's time.

    Args:
        ours, rival: the names of the two contestants.
        at_most: the largest allowed ratio; None shows the ratio without a target.
    """

    ours: str
    rival: str
    at_most: float | None = None


def rows_of(
    bench: str,
    case: str,
    timings: Mapping[str, Spread],
    targets: Sequence[Target],
    unit: str = "ms",
    per: float = 1e-3,
) -> list[Row]:
    """Return a row for each contestant, then one for each ratio: the median over rounds of the ratio within a round.

    Args:
        bench, case: as in `Row`.
        timings: times in seconds, keyed by contestant.
        targets: the ratios to show. Ratios to a skipped contestant are skipped.
        unit, per: the unit of the times shown, and its length in seconds.
    """
    rows = [Row(bench, case, name, "", t.median / per, t.low / per, t.high / per, unit) for name, t in timings.items()]
    for target in targets:
        if target.rival in timings:
            ratio = timings[target.ours].over(timings[target.rival])
            rows.append(
                Row(bench, case, target.ours, target.rival, ratio.median, ratio.low, ratio.high, "", target.at_most)
            )
    return rows
