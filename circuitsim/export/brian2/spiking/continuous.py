"""A spiking network without trials, which runs for a duration with given spikes, rates and signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.errors import DataError, ParameterError, warn
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.refusals import refuse_spikes
from circuitsim.export.brian2.replica import WEIGHT, Replica
from circuitsim.export.brian2.results import progress_bar
from circuitsim.export.brian2.script import write_script
from circuitsim.export.brian2.spiking.blueprint_network import BlueprintNetwork
from circuitsim.export.brian2.spiking.cells import Cell, SpikeTrain, SpikingCell
from circuitsim.export.brian2.spiking.lower import lower
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.number import is_multiple, number
from circuitsim.export.brian2.spiking.recording import Recording
from circuitsim.export.brian2.spiking.saturation import SaturationWarning, largest_activity
from circuitsim.motif.arrays import as_numbers
from circuitsim.whole import whole


class ContinuousNetwork(BlueprintNetwork):
    """One replica of a motif as a spiking network that runs in continuous time, without trials.

    Made by `export_brian2` with ``Spiking(trial=None)``; printing it shows every equation. Every run begins at rest,
    with the weights that the run before has left. There is one C++ program for each duration and each shape of inputs.

    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.export import Spiking, SpikeTrain
        >>> motif = cs.Motif("hebb")
        >>> _ = motif.add(cs.Population("x", 1), cs.Population("y", 1))
        >>> _ = motif.connect("x", "y", name="W", init=cs.Constant(0), rule="spike_post * x", state={
        ...     "x": cs.State(tau_ms=20, on="spike_pre")})
        >>> cells = {"x": SpikeTrain(), "y": SpikeTrain()}
        >>> net = cs.export_brian2(motif, mode="spiking", spiking=Spiking(trial=None, cells=cells))
        >>> recording = net.run(50, {"x": [[10.0]], "y": [[30.0]]})
        >>> net.weights("W").round(3)  # exp(-20 / 20)
        array([[0.368]])
    """

    def __init__(self, replica: Replica, spiking: Spiking, target: str, directory: Path | None) -> None:
        refuse_spikes(replica, spiking)
        super().__init__(replica, spiking, lower(replica, spiking), target, directory)

    def run(
        self,
        duration_ms: float,
        inputs: Mapping[str, Any] | None = None,
        *,
        signals: Mapping[str, Any] | None = None,
        every_ms: float = 1.0,
        seed: int = 0,
        progress: bool = False,
    ) -> Recording:
        """Run the network, from rest and with its current weights, which change.

        Args:
            duration_ms: the duration, a multiple of `rule_every_ms`.
            inputs: keyed by population. For a `SpikeTrain`, the times in ms of each neuron's spikes, a list
                ``[neuron][spike]``. For other inputs, rates in Hz: one number, or an array ``[neuron]`` or
                ``[time, neuron]``.
            signals: keyed by name; a number, or an array ``[time]``.
            every_ms: the interval between two rows of rates or signals over time. The last row holds until the end.
            seed: the seed of random spikes.
            progress: whether a progress bar is shown.
        Returns:
            All spikes, and what `record` has asked for.
        Raises:
            ParameterError: a duration or seed is out of range.
            DataError: an input or signal is missing, unknown, or does not fit.
            SimulationDiverged: a weight is not finite. The weights are then unchanged.
        """
        b, played = self._prepared(duration_ms, inputs or {}, signals or {}, every_ms, seed)
        with progress_bar(f"{self.motif.name}, {self.target}", 1.0, progress) as report:
            found = self._player.play(b, played, seed, report)
        self._check_weights(found, f"{duration_ms:g} ms", "bound it, or slow its rule", step=0)
        for w in self._learning:
            w.variables[WEIGHT] = found.values[w.name][WEIGHT]
        return Recording.of(b, found, self._records)

    def export_script(
        self,
        path: Any,
        duration_ms: float,
        inputs: Mapping[str, Any] | None = None,
        *,
        signals: Mapping[str, Any] | None = None,
        every_ms: float = 1.0,
        seed: int = 0,
    ) -> Path:
        """Write a Python file in plain Brian2 that does what `run` does, and does not need circuitsim.

        Args:
            path: the file, which includes weights, inputs and signals.
            duration_ms, inputs, signals, every_ms, seed: as in `run`.
        Returns:
            The path.
        Raises:
            ParameterError: a duration or seed is out of range.
            DataError: an input or signal is missing, unknown, or does not fit.
            ArchiveError: the file cannot be written.
        """
        b, played = self._prepared(duration_ms, inputs or {}, signals or {}, every_ms, seed)
        return write_script(path, b, played, seed)

    def _prepared(
        self, duration_ms: float, inputs: Mapping[str, Any], signals: Mapping[str, Any], every_ms: float, seed: int
    ) -> tuple[Blueprint, dict[str, np.ndarray]]:
        """The blueprint of a run, and what is played in it."""
        whole("seed", seed, least=0)
        duration = number("run: duration_ms", duration_ms, positive=True)
        every = number("run: every_ms", every_ms, positive=True)
        for what, long, short in (
            ("duration_ms", duration, self.spiking.rule_every_ms), ("every_ms", every, self.spiking.dt_ms),
        ):  # fmt: skip
            if not is_multiple(long, short):
                raise ParameterError(f"run: {what} must be a multiple of {short:g} ms (got {long:g})")
        cells = {name: self._cell(name) for name in self.plan.populations}
        wanted = {k: cell for k, cell in cells.items() if isinstance(cell, SpikeTrain) or k in self.plan.inputs}
        _check_names("inputs", "population", inputs, wanted)
        _check_names("signals", "signal", signals, self.plan.signals)
        played: dict[str, np.ndarray] = {}
        plays: dict[str, tuple[float, str]] = {}
        n_rows = math.ceil(duration / every - 1e-9)
        for name, cell in wanted.items():
            size = self.plan.populations[name].size
            if isinstance(cell, SpikeTrain):
                plays[f"train_{name}"] = 1000.0, ""  # the row of a spike is its number, written as a time in seconds
                played[f"train_{name}"] = _trains(name, size, inputs[name], self.spiking.dt_ms, duration)
            else:
                plays[f"input_{name}"] = every, ""
                k = cell.weight if isinstance(cell, SpikingCell) else 1.0
                rates = _over_time(f"rates of population {name!r}", inputs[name], (size,), n_rows)
                if (rates < 0).any():
                    raise DataError(f"run: rates of population {name!r} must not be negative (got {rates.min():g} Hz)")
                played[f"input_{name}"] = rates / (k * self.spiking.rate_hz)
                self._warn_of_saturation(name, cell, played[f"input_{name}"].max())
        for name in self.plan.signals:
            plays[f"signal_{name}"] = every, ""
            played[f"signal_{name}"] = _over_time(f"signal {name!r}", signals[name], (), n_rows)
        return self._recorded(length_ms=duration, plays=plays), played

    def _warn_of_saturation(self, name: str, cell: Cell, activity: float) -> None:
        """Warn of a rate at which the neurons of an input cannot fire."""
        if isinstance(cell, SpikingCell) and activity > (most := largest_activity(cell, self.spiking)):
            given_hz, most_hz = (a * cell.weight * self.spiking.rate_hz for a in (activity, most))
            message = (
                f"run: population {name!r} is given up to {given_hz:g} Hz, but its neurons fire at most {most_hz:g} "
                "Hz; use smaller time steps (dt_ms) or lower rates"
            )
            warn(message, SaturationWarning)


def _check_names(what: str, kind: str, given: Any, wanted: Any) -> None:
    if not isinstance(given, Mapping):
        raise DataError(f"run: {what} must be a mapping from names to values (got {type(given).__name__})")
    for name in given:
        if name not in wanted:
            raise DataError(
                f"run: {what} name {name!r}, no {kind} that takes any (known: {', '.join(wanted) or 'none'})"
            )
    for name in wanted:
        if name not in given:
            raise DataError(f"run: {kind} {name!r} is missing in {what}")


def _trains(name: str, size: int, given: Any, dt_ms: float, duration_ms: float) -> np.ndarray:
    """Spike times in ms on the grid of time steps, ``[spike, neuron]``, each neuron's followed by infinity."""
    if not hasattr(given, "__len__") or len(given) != size:
        got = len(given) if hasattr(given, "__len__") else repr(given)
        raise DataError(
            f"run: population {name!r} needs a list of spike times for each of its {size} neurons (got {got})"
        )
    trains = []
    for k, times in enumerate(given):
        train = as_numbers(times, f"run: population {name!r}, neuron {k}: spike times", DataError)
        if train.ndim != 1:
            raise DataError(f"run: population {name!r}, neuron {k}: spike times must be a list of ms (got {times!r})")
        train = np.sort(train)
        if not (np.isfinite(train) & (train >= 0)).all():
            raise DataError(f"run: population {name!r}, neuron {k}: spike times must be numbers of ms, 0 or more")
        steps = np.rint(train / dt_ms)
        if (late := train[steps >= round(duration_ms / dt_ms)]).size:
            raise DataError(
                f"run: population {name!r}, neuron {k}: a spike at {late[0]:g} ms comes after the end of the "
                f"run, whose last time step begins at {duration_ms - dt_ms:g} ms"
            )
        if (np.diff(steps) == 0).any():
            twice = train[1:][np.diff(steps) == 0][0]
            raise DataError(
                f"run: population {name!r}, neuron {k}: two spikes in the time step at {twice:g} ms; a neuron spikes "
                f"at most once in a time step (dt_ms={dt_ms:g})"
            )
        trains.append(steps * dt_ms)
    table = np.full((max(map(len, trains)) + 1, size), np.inf)
    for k, train in enumerate(trains):
        table[: len(train), k] = train
    return table


def _over_time(what: str, given: Any, row: tuple[int, ...], n_rows: int) -> np.ndarray:
    """A number, a row, or at most `n_rows` rows over time, as an array ``[time, *row]``."""
    values = as_numbers(given, f"run: {what}", DataError)
    if values.ndim <= len(row) and values.shape in ((), row):
        values = np.broadcast_to(values, (1, *row))
    if values.ndim != 1 + len(row) or values.shape[1:] != row or not len(values):
        wanted = f"a number, [neuron] or [time, neuron] for {row[0]} neurons" if row else "a number or [time]"
        raise DataError(f"run: {what} must be {wanted} (got shape {values.shape})")
    if len(values) > n_rows:
        raise DataError(f"run: {what} have {len(values)} rows of every_ms, but the run has only {n_rows}")
    if not np.isfinite(values).all():
        raise DataError(f"run: {what} must be finite numbers")
    return values.copy()  # broadcasting gives views that cannot be written
