"""What a run of a spiking network has recorded, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.blueprint import Blueprint, Record
from circuitsim.export.brian2.parts import Wires
from circuitsim.export.brian2.results import Results, Spikes
from circuitsim.export.brian2.spiking.number import number


@dataclass(frozen=True)
class Recording:
    """What a run has recorded. `plots.raster` and `plots.membranes` draw it.

    Args:
        spikes: every spike, with the columns time_ms, population, neuron and event ("spike", or "off" for the OFF
            neuron of a pair).
        tables: what `record` has asked for, keyed by (population or projection, variable): a row for each time, whose
            index is time_ms, and a column for each neuron, or for each synapse (post, pre).
        sizes: the number of neurons of each population that spikes.
        duration_ms: the duration of the run.
    """

    spikes: pd.DataFrame
    tables: Mapping[tuple[str, str], pd.DataFrame]
    sizes: Mapping[str, int]
    duration_ms: float

    @classmethod
    def of(cls, b: Blueprint, found: Results, records: Mapping[tuple[str, str], Record]) -> Recording:
        """Make the tables of a run.

        Args:
            b: the network.
            found: the results of the run.
            records: what was recorded, keyed by owner and variable, as the user calls it.
        Returns:
            The recording.
        """
        tables = {}
        for key, r in records.items():
            (times, values), part = found.records[r], b.parts[r.owner]
            columns: pd.Index = pd.Index(list(r.which), name="neuron")
            if isinstance(part, Wires):
                columns = pd.MultiIndex.from_arrays([part.j, part.i], names=["post", "pre"])
            tables[key] = pd.DataFrame(values, index=pd.Index(times, name="time_ms"), columns=columns)
        sizes = {n.name: n.size for n in b.neurons.values() if n.spikes}
        return cls(_table(found.spikes), tables, sizes, b.n_trials * b.length_ms)

    def table(self, owner: str, variable: str) -> pd.DataFrame:
        """One of the tables.

        Args:
            owner: a population or projection.
            variable: its variable, as in `record`.
        Returns:
            The table, ``[time, neuron]`` or ``[time, synapse]``.
        Raises:
            ParameterError: it was not recorded.
        """
        if (owner, variable) not in self.tables:
            known = ", ".join(f"{v} of {o}" for o, v in self.tables) or "nothing"
            raise ParameterError(f"{variable!r} of {owner!r} was not recorded (recorded: {known})")
        return self.tables[owner, variable]

    def rates(self, every_ms: float = 10.0, populations: Iterable[str] | None = None) -> pd.DataFrame:
        """The mean rates of populations over time. Both neurons of an ON/OFF pair count as one.

        Args:
            every_ms: the interval over which spikes are counted. A rest of the run that is shorter is left out.
            populations: those wanted; by default all that spike.
        Returns:
            Spikes per neuron and second, with a row for each interval, whose index is its beginning in ms, and a column
            for each population.
        Raises:
            ParameterError: the interval is no positive number or longer than the run, or a population sends no spikes.
        """
        every = number("rates: every_ms", every_ms, positive=True)
        wanted = list(self.sizes) if populations is None else list(populations)
        if unknown := [name for name in wanted if name not in self.sizes]:
            raise ParameterError(f"rates: {unknown[0]!r} sends no spikes (known: {', '.join(self.sizes)})")
        n = int(self.duration_ms / every + 1e-9)
        if n < 1:
            raise ParameterError(f"rates: every_ms is longer than the run of {self.duration_ms:g} ms (got {every:g})")
        bins = np.floor(self.spikes.time_ms / every + 1e-9).astype(int)  # spikes lie on the grid of time steps
        counts = pd.crosstab(bins, self.spikes.population).reindex(index=range(n), columns=wanted, fill_value=0)
        rates = counts.to_numpy() * 1e3 / (every * np.array([self.sizes[name] for name in wanted]))
        return pd.DataFrame(rates, index=pd.Index(np.arange(n) * every, name="time_ms"), columns=wanted)


def _table(spikes: Spikes) -> pd.DataFrame:
    """Every spike in the order of time."""
    parts = [
        pd.DataFrame({"time_ms": times, "population": name, "neuron": who, "event": event})
        for (name, event), (times, who) in spikes.items()
    ]
    return pd.concat(parts, ignore_index=True).sort_values("time_ms", kind="stable", ignore_index=True)
