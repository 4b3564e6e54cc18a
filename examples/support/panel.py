"""Circuits that differ only in numbers, trained side by side as the replicas of one circuit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import circuitsim as cs
import motifs
from support.result import Result, weights_of
from support.setup import Setup
from support.statistics import Array
from support.together import compile_together


@dataclass(frozen=True)
class Panel:
    """The cells of a comparison, each with as many seeds as the setup has.

    Args:
        cells: the options of the motif, keyed by label. They may differ in numbers only.
        hidden: the sizes of the hidden populations.
        make: makes the motif from layers and options.
        probe: a measurement, as in `circuitsim.Probe`.
        length: the length of the run in units of the setup's epochs.
        points: the number of measurements.
        batch_size: the number of samples of a step, if it differs from that of the setup.
        dtype: as in `circuitsim.compile`.
        data: the data, as in `circuitsim.fit`, if they differ from those of the setup.
    """

    cells: Mapping[str, Mapping[str, float]]
    hidden: tuple[int, ...]
    make: Callable[..., cs.Motif] = motifs.sal
    probe: Callable[[cs.Circuit], Any] | None = None
    length: float = 1.0
    points: int = 20
    batch_size: int | None = None
    dtype: str = "float32"
    data: tuple[Any, Any] | None = field(default=None, repr=False)

    def train(self, setup: Setup) -> Result:
        """Train all cells at constant rates. A replica that runs away stays at its last good state."""
        layers = [setup.layers[0], *self.hidden, setup.layers[-1]]
        made = [self.make(layers, **options) for options in self.cells.values() for _ in range(setup.seeds)]
        circuit = compile_together(made, seed=0, device=setup.device, dtype=self.dtype)
        before, epochs = weights_of(circuit), max(1, round(self.length * setup.epochs))
        probes = {"probe": cs.Probe(self.probe, every_epochs=max(1, epochs // self.points))} if self.probe else {}
        try:
            history = cs.fit(
                circuit, self.data or setup.data, epochs=epochs, batch_size=self.batch_size or setup.batch_size,
                evaluate_every=0, probes=probes, progress=setup.progress,
            )  # fmt: skip
        except cs.SimulationDiverged as error:
            history = error.history  # type: ignore[attr-defined]  # `fit` adds it
        return Result(circuit, before, history)

    def by_cell(self, values: Any) -> dict[str, Array]:
        """Split the replicas, which are the last axis, into ``[..., seed]``, keyed by cell."""
        array = np.asarray(values, dtype=float)
        parts = array.reshape(*array.shape[:-1], len(self.cells), -1)
        return {label: parts[..., k, :] for k, label in enumerate(self.cells)}

    def final(self, result: Result, metric: str, split: str = "probe", site: str | None = None) -> dict[str, Array]:
        """The last value of each seed, keyed by cell; NaN if it ran away."""
        return self.by_cell(result.final(metric, split, site))

    def curve(self, result: Result, metric: str, *sites: str) -> tuple[Array, dict[str, Array]]:
        """The steps of the measurements, and the mean over sites as ``[time, seed]``, keyed by cell."""
        table = result.history.to_pandas()
        chosen = table[(table.metric == metric) & (table.split == "probe") & table.site.isin(sites)]
        wide = chosen.pivot_table("value", "step", "replica", dropna=False)
        return wide.index.to_numpy(), self.by_cell(wide.to_numpy())

    def lost(self, result: Result) -> dict[str, Array]:
        """Whether each seed ran away, keyed by cell."""
        return self.by_cell(np.isin(np.arange(result.circuit.n_replicas), result.runaways))
