"""A circuit as spikes: what `export_brian2(mode="spiking")` returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress

from circuitsim.data import Dataset
from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, DataError, ParameterError, SimulationDiverged
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking import checkpoint as checkpoints
from circuitsim.export.brian2.spiking.blueprint import Blueprint
from circuitsim.export.brian2.spiking.lower import lower, needed_for_outputs
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.refusals import refuse
from circuitsim.export.brian2.spiking.samples import Samples, presentation, read_samples
from circuitsim.export.brian2.spiking.script import script
from circuitsim.history import History
from circuitsim.plan import build_plans

Schedule = Callable[[float], float]


class SpikingNetwork:
    """One replica as spikes, by the circuit's own plan: print it to read every equation.

    Trials are played in segments of `n_trials`, each from rest; between them weights are read, noted, saved. In a C++
    program that is one build and a run for each segment.

    Args:
        circuit, replica: what is exported, as it is now.
        spiking: neuron models, time constants, trials.
        target: "numpy", "cython" or "cpp_standalone".
        directory: of the C++ program.
        n_trials: trials of a segment.
        plastic: False keeps only what outputs depend on, without any plasticity: for conversion.

    Attributes:
        motif: of the circuit.
        seed: of the circuit's replica.
        plan: what is exported.
        blueprint: neurons, synapses and their equations, as text.

    Raises:
        ParameterError: `n_trials` is not a positive integer.
        CircuitError: spikes cannot say what the circuit does; the message says why.
    """

    def __init__(
        self,
        circuit: Circuit,
        replica: int,
        spiking: Spiking,
        target: str,
        directory: Path | None,
        n_trials: int,
        plastic: bool,
    ) -> None:
        refuse(circuit, spiking, plastic)
        if isinstance(n_trials, bool) or not isinstance(n_trials, int) or n_trials < 1:
            raise ParameterError(f"export_brian2: n_trials must be a positive integer (got {n_trials!r})")
        state = Replica.of(circuit, replica)
        only = None
        if not plastic:
            frozen = [p.name for p in circuit.motif.projections]
            state = dataclasses.replace(state, plans=build_plans(circuit.motif, frozen))
            only = needed_for_outputs(state.plan)
        self.motif, self.seed, self.spiking, self.target = circuit.motif, circuit.seed + replica, spiking, target
        self.plan, self._replica, self._circuit = state.plan, state, circuit
        self.blueprint: Blueprint = lower(state, spiking, n_trials, self.seed, only)
        self._player = _player(target, directory, self.blueprint)

    # -- running

    def fit(
        self,
        data: Any,
        *,
        samples: int,
        seed: int = 0,
        schedule: Schedule | None = None,
        probe: Callable[[SpikingNetwork, int, History], None] | None = None,
        checkpoint: Any = None,
        resume: bool = False,
        progress: bool = True,
    ) -> History:
        """Show samples, one trial each, and let the rules work.

        Args:
            data: a `Dataset` (its training split), or (x, target).
            samples: how many trials; every sample once an epoch.
            seed: of their order, of jitter and of random spikes.
            schedule: multiplies every `eta`, a function of progress in [0, 1].
            probe: called with the network, the trials done and the history, at the start and after each segment.
            checkpoint: file in which each segment's weights are kept.
            resume: go on from it, where there is one.
            progress: whether a bar is shown.
        Returns:
            The history, with the accuracy of each segment's trials themselves ("online"), and `records["weights"]`, the
            weights ``[post, pre]`` by projection after so many trials.
        Raises:
            SimulationDiverged: a weight is not finite.
            ArchiveError: the checkpoint belongs to another run.
            ParameterError: the checkpoint exists, and `resume` is not asked for.
            DataError: the data does not fit.
        """
        shown = self._samples(*((data.train.x, data.train.target) if isinstance(data, Dataset) else data))
        order, n = presentation(shown.n, samples, seed), self.blueprint.n_trials
        history, done = History(), 0
        settings = {
            "digest": self.blueprint.digest(), "samples": samples, "seed": seed, "shown": shown.n,
            "parameters": {k: float(v) for k, v in self.blueprint.settings().items() if v.ndim == 0},
            "trial": dataclasses.asdict(self.spiking.trial), "scheduled": schedule is not None,
        }  # fmt: skip
        if checkpoint is not None and Path(checkpoint).exists():
            if not resume:
                raise ParameterError(f"checkpoint {checkpoint} exists: pass resume=True to go on from it, or remove it")
            weights, done = checkpoints.read(checkpoint, settings, history)
            for name, values in weights.items():
                self.blueprint.wires[name].weights = values
        if done == 0:
            self._note(history, 0, probe)
        with Progress(console=Console(stderr=True), disable=not progress) as bar:
            task = bar.add_task(f"{self.motif.name}, {self.target}", total=samples, completed=done)
            while done < samples:
                rows = order[done : done + n]
                learns = np.arange(n) < len(rows)
                eta = np.array([1.0 if schedule is None else schedule((done + k) / samples) for k in range(n)])
                output = self._segment(shown, np.resize(rows, n), learns.astype(float), eta, [seed, done])
                done += len(rows)
                self._online(history, shown, rows, output, done)
                self._note(history, done, probe)
                if checkpoint is not None:
                    checkpoints.write(checkpoint, self._plastic(), done, settings, history)
                bar.update(task, completed=done)
        return history

    def predict(self, x: Any, *, seed: int = 0) -> np.ndarray:
        """What the (only) output says, without plasticity.

        Args:
            x: ``[sample, input]``.
            seed: of random spikes.
        Returns:
            Shape ``[sample, output]``.
        Raises:
            CircuitError: the motif has several outputs.
            DataError: x does not fit.
            SimulationDiverged: a weight is not finite.
        """
        shown, n = self._samples(x), self.blueprint.n_trials
        found = []
        for first in range(0, shown.n, n):
            rows = np.arange(first, min(first + n, shown.n))
            output = self._segment(shown, np.resize(rows, n), np.zeros(n), np.ones(n), [seed, first])
            found.append(output[self._only_output()][: len(rows)])
        return np.concatenate(found)

    def accuracy(self, x: Any, target: Any, *, seed: int = 0) -> float:
        """Share of samples whose largest output is the wanted one.

        Args:
            x: ``[sample, input]``.
            target: classes ``[sample]``.
            seed: of random spikes.
        Returns:
            From 0 to 1.
        Raises:
            CircuitError: the motif has several outputs.
            DataError: x does not fit.
        """
        return float((self.predict(x, seed=seed).argmax(1) == np.asarray(target)).mean())

    def raster(self, x: Any, target: Any, *, learns: bool = True, seed: int = 0) -> pd.DataFrame:
        """Every spike of a few trials, from a run in this process; weights are as before afterwards.

        Args:
            x, target: the samples, a trial each.
            learns: whether weights change while they are shown.
            seed: of random spikes.
        Returns:
            Columns time_ms, population, neuron, event ("spike" or "off").
        Raises:
            DataError: x or target does not fit.
        """
        from circuitsim.export.brian2.spiking.runtime import Runtime  # here: it imports brian2

        shown = self._samples(x, target)
        b, played = self._once(shown, learns, seed)
        spikes = Runtime("numpy", records_spikes=True).play(b, played, seed).spikes
        parts = [
            pd.DataFrame({"time_ms": times, "population": p, "neuron": who, "event": event})
            for (p, event), (times, who) in spikes.items()
        ]
        return pd.concat(parts, ignore_index=True).sort_values("time_ms", kind="stable", ignore_index=True)

    def _samples(self, x: Any, target: Any = None) -> Samples:
        """Checked, also that no neuron with positive spikes alone is to send a negative number."""
        shown = read_samples(self._circuit, x, target)
        for name, n in self.blueprint.neurons.items():
            values = shown.arrays.get(f"input_{name}")
            if values is not None and not n.signed and values.min() < 0:
                raise DataError(
                    f"population {name!r}: its neurons cannot fire at a negative rate ({values.min():.3g}); scale "
                    "inputs to 0 .. 1 (load_dataset(..., standardize=False)), or let them have signs: "
                    "Spiking(inputs=SignedIntegrateAndFire(1.0))"
                )
        return shown

    def _segment(
        self, shown: Samples, rows: np.ndarray, learns: np.ndarray, eta: np.ndarray, seed: list[int]
    ) -> dict[str, np.ndarray]:
        b = self.blueprint
        played = self._played(b, shown, rows, learns, eta, seed)
        found = self._player.play(b, played, int(np.random.default_rng(seed).integers(2**31)))
        for name, weights in found.weights.items():
            if not np.isfinite(weights).all():
                raise SimulationDiverged(
                    f"projection {name!r}: a weight is not finite after trial {seed[1] + b.n_trials}; lower eta",
                    projection=name, replica=0, step=seed[1],
                )  # fmt: skip
            b.wires[name].weights = weights
        return dict(found.outputs)

    def _once(self, shown: Samples, learns: bool, seed: int) -> tuple[Blueprint, dict[str, np.ndarray]]:
        """Every sample in one segment."""
        b, n = dataclasses.replace(self.blueprint, n_trials=shown.n), shown.n
        return b, self._played(b, shown, np.arange(n), np.full(n, float(learns)), np.ones(n), [seed, 0])

    def _played(
        self, b: Blueprint, shown: Samples, rows: np.ndarray, learns: np.ndarray, eta: np.ndarray, seed: list[int]
    ) -> dict[str, np.ndarray]:
        windows = self.spiking.trial.windows(b.n_trials, np.random.default_rng([*seed, 1]))
        return {**windows, **shown.rows(rows), "learns": learns, "eta_scale": eta}

    def _online(
        self, history: History, shown: Samples, rows: np.ndarray, output: dict[str, np.ndarray], done: int
    ) -> None:
        classes = shown.classes
        if classes is not None:
            right = next(iter(output.values()))[: len(rows)].argmax(1) == classes[rows]
            history.add(step=done, epoch=done / shown.n, split="online", metric="accuracy", values=[right.mean()])

    def _note(self, history: History, done: int, probe: Any) -> None:
        history.record("weights", done, {name: self.weights(name) for name in self._plastic()})
        if probe is not None:
            probe(self, done, history)

    # -- weights

    def _plastic(self) -> dict[str, np.ndarray]:
        return {w.name: w.weights for w in self.blueprint.wires.values() if w.rule and w.weights is not None}

    def weights(self, projection: str) -> np.ndarray:
        """The weights, as they are now.

        Args:
            projection: its name.
        Returns:
            A copy, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no such projection; the message lists the known ones.
        """
        if projection not in self.plan.projections:
            raise ParameterError(f"there is no projection {projection!r} (known: {', '.join(self.plan.projections)})")
        wires = self.blueprint.wires.get(projection)
        if wires is None or wires.weights is None:
            return self._replica.weights[projection].copy()
        dense = np.zeros(self.plan.projections[projection].shape)
        dense[wires.j, wires.i] = wires.weights
        return dense

    def set_weights(self, projection: str, weights: Any) -> None:
        """Write weights.

        Args:
            projection: its name.
            weights: shape ``[post, pre]``; what is given for absent synapses is not looked at.
        Raises:
            ParameterError: there is no such projection, or weights of another shape or not finite.
        """
        given, wires = np.asarray(weights, dtype=float), self.blueprint.wires.get(projection)
        shape = self.weights(projection).shape
        if wires is None or given.shape != shape or not np.isfinite(given).all():
            raise ParameterError(
                f"projection {projection!r}: weights must be finite, of shape {shape} (got {given.shape})"
            )
        wires.weights = given[wires.j, wires.i]

    def set_parameter(self, path: str, value: float) -> None:
        """Change a parameter of a rule; nothing is compiled anew.

        Args:
            path: projection and parameter, such as ``"W0.eta"``.
            value: the new number.
        Raises:
            ParameterError: there is no such parameter, or it is not one number.
        """
        projection, _, name = path.partition(".")
        wires = self.blueprint.wires.get(projection)
        if wires is None or np.ndim(wires.parameters.get(name, np.zeros(1))):
            raise ParameterError(f"there is no parameter {path!r} of one number")
        wires.parameters[name] = float(value)

    def set_trial(self, **changes: Any) -> None:
        """Change the times of the trial that are played and not compiled in.

        Args:
            changes: fields of `Trial`, such as ``lag_ms=10.0``.
        Raises:
            ParameterError: the length of the trial would change.
        """
        trial = dataclasses.replace(self.spiking.trial, **changes)
        if trial.length_ms != self.spiking.trial.length_ms or trial.rests != self.spiking.trial.rests:
            raise ParameterError(f"set_trial({changes}): the trial's length would change; export anew")
        self.spiking = dataclasses.replace(self.spiking, trial=trial)

    # -- handing on

    def export_script(self, path: Any, x: Any, target: Any, *, learns: bool = True, seed: int = 0) -> Path:
        """Write a Python file in plain Brian2 that shows these samples once, in order, and does not need circuitsim.

        Args:
            path: of the file; weights and samples are in it.
            x, target: the samples, a trial each.
            learns: whether the weights change.
            seed: of random spikes.
        Returns:
            The path.
        Raises:
            DataError: x or target does not fit.
        """
        path = Path(path)
        shown = self._samples(x, target)
        b, played = self._once(shown, learns, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(b, played, seed, path.name))
        return path

    def _only_output(self) -> str:
        if len(self.blueprint.readouts) != 1:
            raise CircuitError(f"motif {self.motif.name!r} has {len(self.blueprint.readouts)} outputs, not one")
        return self.blueprint.readouts[0]

    def __str__(self) -> str:
        return str(self.blueprint)


def _player(target: str, directory: Path | None, b: Blueprint) -> Any:
    from circuitsim.export.brian2.spiking.build import check_names  # here: they import brian2

    check_names(b)
    if target == "cpp_standalone":
        from circuitsim.export.brian2.spiking.program import Standalone

        return Standalone(directory)
    from circuitsim.export.brian2.spiking.runtime import Runtime

    return Runtime(target)
