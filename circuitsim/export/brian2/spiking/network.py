"""The spiking network that `export_brian2(mode="spiking")` returns."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.data import Dataset
from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, DataError, ParameterError, warn
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.exported import circuit_from_brian2
from circuitsim.export.brian2.language import of_parameter
from circuitsim.export.brian2.parts import Part
from circuitsim.export.brian2.refusals import refuse_spikes
from circuitsim.export.brian2.replica import WEIGHT, Replica
from circuitsim.export.brian2.results import Report, ignore, progress_bar, within
from circuitsim.export.brian2.script import write_script
from circuitsim.export.brian2.spiking import checkpoint as checkpoints
from circuitsim.export.brian2.spiking.blueprint_network import BlueprintNetwork
from circuitsim.export.brian2.spiking.cells import SpikingCell
from circuitsim.export.brian2.spiking.delays import fitted
from circuitsim.export.brian2.spiking.lower import lower, needed_for_outputs
from circuitsim.export.brian2.spiking.model import DELAYS, Spiking
from circuitsim.export.brian2.spiking.number import number
from circuitsim.export.brian2.spiking.recording import Recording
from circuitsim.export.brian2.spiking.samples import Samples, fingerprint, presentation, read_samples
from circuitsim.export.brian2.spiking.saturation import SaturationWarning, saturation
from circuitsim.files import locked
from circuitsim.history import History
from circuitsim.plan import build_plans
from circuitsim.whole import check_flags, whole

Schedule = Callable[[float], float]
Factors = np.ndarray | float
N_CHECKED = 1000  # samples whose activities are compared with what neurons can fire


class SpikingNetwork(BlueprintNetwork):
    """One replica of a circuit as a spiking network, which follows the circuit's own plan. Made by `export_brian2`.

    Printing it shows every equation. Trials are played in segments of `n_trials`, each from rest. Between segments the
    weights are read, recorded and saved. A C++ program is built once and run once for each segment.

    Samples are `x`, ``[sample, input]``, and `target`, classes ``[sample]`` or vectors ``[sample, output]``. `signals`
    are keyed by name, an array ``[sample]`` with a number for each sample, or ``[sample, ms]`` with one for every ms of
    its trial. `seed` is that of random spikes.

    Attributes:
        motif: the circuit's motif.
        seed: the seed of the exported replica.
        plan: the plan that is exported.
        blueprint: the description of neurons and synapses with their equations.
    """

    def __init__(
        self, circuit: Circuit, replica: Replica, spiking: Spiking, target: str, directory: Path | None,
        n_trials: int, plastic: bool,
    ) -> None:  # fmt: skip
        refuse_spikes(replica, spiking, plastic)
        n_trials = whole("export_brian2: n_trials", n_trials, least=1)
        only = None
        if not plastic:
            frozen = [p.name for p in replica.motif.projections]
            replica = dataclasses.replace(replica, plans=build_plans(replica.motif, frozen))
            only = needed_for_outputs(replica.plan)
        spiking = fitted(replica.plan, spiking, replica.plan.populations if only is None else only)
        super().__init__(replica, spiking, lower(replica, spiking, n_trials, only), target, directory)
        self._circuit = circuit

    # -- running

    def fit(
        self,
        data: Any,
        *,
        samples: int,
        signals: Mapping[str, Any] | None = None,
        seed: int = 0,
        schedule: Schedule | None = None,
        probe: Callable[[SpikingNetwork, int, History], None] | None = None,
        checkpoint: Any = None,
        resume: bool = False,
        progress: bool = True,
    ) -> History:
        """Train the network by showing samples, one trial each.

        Args:
            data: a `Dataset`, of which the training split is used, or (x, target).
            samples: the number of trials. Each epoch shows every sample once.
            seed: the seed of the samples' order, of jitter and of random spikes.
            schedule: a function of progress in [0, 1] whose value multiplies every `eta`.
            probe: a function that is called with the network, the number of trials done and the history, at the start
                and after each segment.
            checkpoint: a file that receives the weights and the history after each segment. Only one run at a time may
                use it.
            resume: whether to continue from an existing checkpoint. Of the history's records, those of the weights come
                back.
            progress: whether a progress bar is shown.
        Returns:
            The history. It holds the accuracy on each segment's own trials (split "online") and, in
            `records["weights"]`, the weights ``[post, pre]`` of each projection at the start and after each segment.
        Raises:
            SimulationDiverged: a weight is not finite.
            ArchiveError: the checkpoint is damaged, is in use by another run, or was made with other data, settings or
                fixed weights; the message says which.
            ParameterError: an argument is out of range, a schedule reaches no `eta`, or the checkpoint exists and
                `resume` is False.
            DataError: the data or a signal does not fit.
        """
        if not isinstance(data, Dataset) and not (isinstance(data, tuple | list) and len(data) == 2):
            raise DataError(f"fit: data must be a Dataset or a pair (x, target) (got {type(data).__name__})")
        if schedule is not None and not callable(schedule):
            raise ParameterError(f"fit: schedule must be a function of progress or None (got {schedule!r})")
        if schedule is not None and not any(of_parameter("eta") in w.parameters for w in self._learning):
            raise ParameterError(
                f"fit: schedule multiplies parameters called eta, but no projection of {self.motif.name!r} that learns "
                "has one: call the rate eta in the rule, or leave the schedule out"
            )
        if probe is not None and not callable(probe):
            raise ParameterError(f"fit: probe must be a function of (network, trials done, history) (got {probe!r})")
        if checkpoint is not None and not isinstance(checkpoint, str | os.PathLike):
            raise ParameterError(f"fit: checkpoint must be a path or None (got {checkpoint!r})")
        check_flags(resume=resume, progress=progress)
        samples, seed = whole("samples", samples, least=1), whole("seed", seed, least=0)
        x, target = (data.train.x, data.train.target) if isinstance(data, Dataset) else data
        shown = self._samples(x, target, signals or {})
        order, classes, n = presentation(shown.n, samples, seed), shown.classes, self.blueprint.n_trials
        factors = _factors(schedule, np.arange(samples) / samples)
        fixed = {
            w.name: np.asarray(w.variables[WEIGHT])
            for w in self.blueprint.wires.values()
            if not w.learns and w.variables
        }
        settings = {
            "network or n_trials": self.blueprint.digest(), "circuit's seed": self.seed, "samples": samples,
            "seed": seed, "shown": shown.n,
            "parameters": {k: float(v) for k, v in self.blueprint.settings().items() if v.ndim == 0},
            "trial": dataclasses.asdict(self.spiking.course), "data": fingerprint(shown.arrays),
            "schedule": _factors(schedule, np.arange(20) / 20).tolist(), "fixed weights": fingerprint(fixed),
        }  # fmt: skip
        with contextlib.nullcontext() if checkpoint is None else locked(Path(checkpoint)):
            done, history = self._begin(checkpoint, resume, settings)
            self._warn_of_saturation(shown, learns=True)
            if done == 0:
                self._note(history, 0, probe)
            with progress_bar(f"{self.motif.name}, {self.target}", samples, progress, done) as report:
                while done < samples:
                    rows, eta = order[done : done + n], factors[done : done + n]
                    share = within(report, done, done + len(rows))
                    output = self._segment(shown, rows, 1.0, eta, [seed, done], share)
                    done += len(rows)
                    if classes is not None:
                        right = next(iter(output.values())).argmax(1) == classes[rows]
                        history.add(
                            step=done, epoch=done / shown.n, split="online", metric="accuracy", values=[right.mean()]
                        )
                    self._note(history, done, probe)
                    if checkpoint is not None:
                        checkpoints.write(checkpoint, self._lasting(), done, settings, history)
                    report(done)
        self._warn_of_saturation(shown, learns=True)  # with the weights that it has now
        return history

    def _begin(self, checkpoint: Any, resume: bool, settings: dict[str, Any]) -> tuple[int, History]:
        """The number of trials done and the history, those of the checkpoint if there is one, whose values are set."""
        if resume and checkpoint is None:
            raise ParameterError("fit: resume=True needs the checkpoint to continue from: checkpoint=...")
        if checkpoint is None or not Path(checkpoint).exists():
            return 0, History()
        if not resume:
            raise ParameterError(f"checkpoint {checkpoint} exists: pass resume=True to continue it, or remove it")
        learning = [w.name for w in self._learning]
        values, done, history = checkpoints.read(checkpoint, settings, self._lasting(), learning)
        for part, name in self._lasts:
            part.variables[name] = values[f"{part.name}.{name}"]
        return done, history

    def predict(self, x: Any, *, seed: int = 0) -> np.ndarray:
        """Compute the output without plasticity, for a motif with a single output.

        Returns:
            The output, shape ``[sample, output]``.
        Raises:
            CircuitError: the motif has several outputs.
            DataError: x does not fit.
            SimulationDiverged: a weight is not finite.
        """
        whole("seed", seed, least=0)
        shown, n = self._samples(x), self.blueprint.n_trials
        self._warn_of_saturation(shown)
        if len(self.blueprint.readouts) != 1:
            raise CircuitError(f"motif {self.motif.name!r} has {len(self.blueprint.readouts)} outputs, not one")
        segments = {first: np.arange(first, min(first + n, shown.n)) for first in range(0, shown.n, n)}
        found = [self._segment(shown, rows, 0.0, 1.0, [seed, first]) for first, rows in segments.items()]
        return np.concatenate([output[self.blueprint.readouts[0]] for output in found])

    def accuracy(self, x: Any, target: Any, *, seed: int = 0) -> float:
        """The fraction of samples whose largest output is the target class.

        Args:
            target: classes ``[sample]``, or one-hot vectors ``[sample, output]`` if the objective takes vectors.
        Returns:
            A number from 0 to 1.
        Raises:
            CircuitError: the motif has several outputs.
            DataError: x or target does not fit, or target is neither classes nor one-hot.
        """
        classes = self._samples(x, target).classes
        if classes is None:
            raise DataError("accuracy needs a target of classes [sample] or one-hot vectors [sample, output]")
        return float((self.predict(x, seed=seed).argmax(1) == classes).mean())

    def watch(
        self, x: Any, target: Any, *, signals: Mapping[str, Any] | None = None, learns: bool = True, seed: int = 0
    ) -> Recording:
        """Show a few samples in this process and record every spike, and what `record` has asked for. The network's
        weights stay unchanged.

        Args:
            learns: whether weights change during the run.
        Returns:
            All spikes, and what `record` has asked for.
        Raises:
            DataError: x, target or a signal does not fit.
        """
        from circuitsim.export.brian2.build import Runtime  # imported late, because it imports brian2

        b, played = self._once(self._samples(x, target, signals or {}), learns, seed)
        return Recording.of(b, Runtime("numpy").play(b, played, seed), self._records)

    def _samples(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> Samples:
        """Validate samples. Neurons with only positive spikes cannot receive negative inputs. Without signals, as for
        a prediction, all are 0."""
        shown = read_samples(self._circuit, self.spiking.course.length_ms, x, target, signals)
        for name in self._populations:
            values = shown.arrays.get(f"input_{name}")
            if values is not None and not self._cell(name).signed and values.min() < 0:
                raise DataError(
                    f"population {name!r}: its neurons cannot fire at a negative rate ({values.min():.3g}); scale "
                    "inputs to 0 .. 1 (load_dataset(..., standardize=False)), or use signed spikes: "
                    "Spiking(inputs=SignedIntegrateAndFire(1.0))"
                )
        return shown

    def _warn_of_saturation(self, shown: Samples, learns: bool = False) -> None:
        """Warn if samples drive neurons beyond what they can fire. A large set is represented by its first samples.

        Args:
            shown: the samples.
            learns: whether the descending stream counts too; otherwise, only inputs and what outputs depend on.
        """
        activities = self._activities(shown.rows(np.arange(min(shown.n, N_CHECKED))), learns)
        cells = {name: self._cell(name) for name in activities}
        firing = {name: cell for name, cell in cells.items() if isinstance(cell, SpikingCell)}
        message = saturation({name: activities[name] for name in firing}, firing, self.spiking) if firing else ""
        if message:
            warn(f"motif {self.motif.name!r}: {message}", SaturationWarning)

    def _activities(self, arrays: dict[str, np.ndarray], learns: bool) -> dict[str, np.ndarray]:
        """The activities of the rate circuit with the network's weights, keyed by population."""
        circuit = circuit_from_brian2(self)
        inputs = {name: arrays[f"input_{name}"] for name in self.plan.inputs}
        if learns and self.plan.objectives:
            target = {o.output: arrays[f"target_{o.output}"] for o in self.plan.objectives}
            classes = {o.output for o in self.plan.objectives if o.loss == "cross_entropy"}
            signals = {name: np.zeros(len(next(iter(inputs.values())))) for name in self.plan.signals}
            circuit.cycle(inputs, {name: y.argmax(1) if name in classes else y for name, y in target.items()}, signals)
            return {name: circuit.activity(name)[0].numpy() for name in self._populations}
        wanted = needed_for_outputs(self.plan) | set(self.plan.inputs)
        return {name: circuit.predict(inputs, name)[0].numpy() for name in self.plan.populations if name in wanted}

    def _segment(
        self, shown: Samples, rows: np.ndarray, learns: Factors, eta: Factors, seed: list[int], report: Report = ignore
    ) -> dict[str, np.ndarray]:
        """Show samples in one segment, and return the outputs ``[sample, neuron]``. `learns` and `eta` are numbers, or
        ``[sample]``. What is left of the segment repeats samples without changing weights."""
        b, n = self.blueprint, self.blueprint.n_trials
        learns = np.where(np.arange(n) < len(rows), np.resize(learns, n), 0.0)
        played = self._played(b, shown, np.resize(rows, n), learns, np.resize(eta, n), seed)
        found = self._player.play(b, played, int(np.random.default_rng(seed).integers(2**31)), report)
        self._check_weights(found, f"trial {seed[1] + b.n_trials}", "lower eta", step=seed[1])
        for part, name in self._lasts:
            part.variables[name] = found.values[part.name][name]
        return {name: output[: len(rows)] for name, output in found.outputs(b).items()}

    def _once(self, shown: Samples, learns: bool, seed: int) -> tuple[Blueprint, dict[str, np.ndarray]]:
        """A blueprint and played arrays that show every sample once, in one segment."""
        whole("seed", seed, least=0)
        check_flags(learns=learns)
        b, n = self._recorded(n_trials=shown.n), shown.n
        return b, self._played(b, shown, np.arange(n), np.full(n, float(learns)), np.ones(n), [seed, 0])

    def _played(
        self, b: Blueprint, shown: Samples, rows: np.ndarray, learns: np.ndarray, eta: np.ndarray, seed: list[int]
    ) -> dict[str, np.ndarray]:
        windows = self.spiking.course.windows(b.n_trials, np.random.default_rng([*seed, 1]))
        arrays, n_ms = shown.rows(rows), len(windows["reads"]) // len(rows)
        for name in (f"signal_{name}" for name in self.plan.signals):
            arrays[name] = np.broadcast_to(arrays[name], (len(rows), n_ms)).ravel()
        return {**windows, **arrays, "learns": learns, "eta_scale": eta}

    def _note(self, history: History, done: int, probe: Any) -> None:
        history.record("weights", done, {w.name: self.weights(w.name) for w in self._learning})
        if probe is not None:
            probe(self, done, history)

    # -- weights

    @property
    def _populations(self) -> list[str]:
        """The populations that are exported; other groups of neurons are pools."""
        return [name for name in self.plan.populations if name in self.blueprint.neurons]

    @property
    def _lasts(self) -> list[tuple[Part, str]]:
        """What a segment takes over from the one before, with its variables: weights that learn, and means."""
        neurons = self.blueprint.neurons.values()
        return [*((w, WEIGHT) for w in self._learning), *((n, k) for n in neurons for k in n.lasting)]

    def _lasting(self) -> dict[str, np.ndarray]:
        return {f"{part.name}.{name}": np.asarray(part.variables[name]) for part, name in self._lasts}

    def set_trial(self, **changes: Any) -> None:
        """Change those times of the trial that are not compiled in.

        Args:
            changes: fields of `Trial`, such as ``lag_ms=10.0``.
        Raises:
            ParameterError: the length of the trial or of a volley, a delay, or `rests` would change, or a field is
                unknown.
        """
        before = self.spiking.course
        unknown = sorted(set(changes) - {field.name for field in dataclasses.fields(before)})
        if unknown:
            raise ParameterError(f"set_trial: Trial has no field {unknown[0]!r}")
        trial = dataclasses.replace(before, **changes)
        for name in ("length_ms", "ascending_ms", "descending_ms", "rests", *DELAYS):
            if getattr(trial, name) != getattr(before, name):
                raise ParameterError(
                    f"set_trial({changes}): this changes {name} from {getattr(before, name)} to "
                    f"{getattr(trial, name)}, which is compiled into the network; export again"
                )
        self.spiking = dataclasses.replace(self.spiking, trial=trial)

    # -- export

    def export_script(
        self, path: Any, x: Any, target: Any, *, signals: Mapping[str, Any] | None = None, learns: bool = True,
        seed: int = 0,
    ) -> Path:  # fmt: skip
        """Write a Python file in plain Brian2 that shows these samples once, in order, and does not need circuitsim.

        Args:
            path: the file, which includes weights and samples.
            learns: whether the weights change.
        Returns:
            The path.
        Raises:
            DataError: x, target or a signal does not fit.
            ArchiveError: the file cannot be written.
        """
        return write_script(path, *self._once(self._samples(x, target, signals or {}), learns, seed), seed)


def _factors(schedule: Schedule | None, progress: np.ndarray) -> np.ndarray:
    """The factors of every `eta`, one for each trial."""
    if schedule is None:
        return np.ones(len(progress))
    return np.array([number(f"fit: the value of schedule at progress {p:g}", schedule(float(p))) for p in progress])
