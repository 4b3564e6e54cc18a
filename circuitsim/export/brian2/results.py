"""What a run reports while it lasts, and what it gives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.progress import Progress

from circuitsim.export.brian2.blueprint import Blueprint, Record

Arrays = Mapping[str, np.ndarray]
Spikes = Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]  # keyed by group and event
Report = Callable[[float], None]  # is told which share of a run is done


def ignore(done: float) -> None:
    """Report nothing."""


def within(report: Report, begin: float, end: float) -> Report:
    """The report of a part of a run, which takes it from `begin` to `end`."""
    return lambda share: report(begin + share * (end - begin))


@contextlib.contextmanager
def progress_bar(label: str, total: float, shown: bool, done: int = 0) -> Iterator[Report]:
    """Show a bar, and give a function that sets how much of `total` is done."""
    with Progress(console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda done: bar.update(task, completed=done)


@dataclass(frozen=True)
class Results:
    """The results of a run."""

    values: Mapping[str, Arrays]  # the variables after the run, [neuron] or [synapse], keyed by part and then by name
    records: Mapping[Record, tuple[np.ndarray, np.ndarray]]  # times in ms [time] and values [time, index]
    spikes: Spikes = field(default_factory=dict)  # times in ms and indices of neurons, if spikes were recorded

    def outputs(self, b: Blueprint) -> dict[str, np.ndarray]:
        """The outputs ``[trial, neuron]`` of each readout: what later trials find, and what the last one leaves."""
        reads = {r.owner: values for r, (_, values) in self.records.items() if r.when == "start"}
        return {name: np.vstack([reads[name][1:], self.values[name]["F"]]) for name in b.readouts}
