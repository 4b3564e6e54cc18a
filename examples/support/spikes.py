"""Experiments on spiking circuits, in which one sample is a trial and each seed is a separate network."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.nn import functional

import circuitsim as cs
import motifs
from circuitsim import plots
from circuitsim.export import IntegrateAndFire, Spiking, SpikingNetwork, Stream, Trial
from circuitsim.train.schedule import as_schedule
from support.result import ALIGNMENT, Result, weights_of
from support.study import Study
from support.trainer import Condition, train

NEVER = 1e30  # the time constant of averages that do not move
N_PROBED = 200  # validation samples on which alignment is measured
# Quick runs use coarser time steps and shorter volleys, on Brian2's numpy target, which needs no compiler.
QUICK = Spiking(trial=Trial(ascending_ms=30, descending_ms=30, silence_ms=20), dt_ms=1.0)
# Deep circuits use neurons without a dead zone, longer volleys so that every layer responds, and finer signed spikes.
DEEP = Spiking(
    ascending=Stream(50.0, rectified=IntegrateAndFire(spikes_per_unit=4.0)),
    descending=Stream(10.0, spikes_per_unit=16.0),
    trial=Trial(ascending_ms=100.0),
)
# The normalised form in rates, with which its deep spiking circuits are compared: one of the two best of 44 settings on
# validation images of Fashion-MNIST (14 x 14), and the best of 25 on those of digits.
BATCH = 16
RATES = f"rates, batches of {BATCH}"
IN_BATCHES: dict[str, Any] = {
    "eta": 1.21, "gamma": 1.4e-3, "tau": 20100.0 / BATCH, "gain": 63.9, "cap": 0.719, "scale": 0.002,
    "gain_W": 0.762, "gain_V": 0.004,
}  # fmt: skip


@dataclass(frozen=True)
class Spikes(Condition):
    """A spiking condition. Its motif has one objective, with squared errors.

    Args:
        spiking: the neuron models and times, if they differ from those of the study.
        frozen: projections that keep their random start.
        trial: changes to the trial, such as ``{"lag_ms": 0}``, which need no new compilation.
    """

    spiking: Spiking | None = None
    frozen: Sequence[str] = ()
    trial: Mapping[str, Any] = field(default_factory=dict)


def pixels(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """Load a data set without standardising its inputs, so that pixels are from 0 to 1: rates cannot be negative."""
    return cs.load_dataset(dataset, standardize=False, folder=folder)


def first_samples(split: cs.Split, n: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and classes of the first samples of a split with one input and one objective."""
    assert isinstance(split.x, torch.Tensor) and isinstance(split.target, torch.Tensor)
    return split.x[:n], split.target[:n]


def one_hot(data: cs.Dataset, n: int) -> cs.Dataset:
    """Return the first n training samples with one-hot targets, which a squared error needs."""
    x, classes = first_samples(data.train, n)
    targets = functional.one_hot(classes, int(data.n_outputs))  # type: ignore[arg-type]
    return cs.Dataset.from_arrays(x, targets.double(), kind="values", name=data.name)


class SpikingStudy(Study):
    """An experiment on spiking circuits. A trial is one sample, and an epoch is a thousand trials.

    Class attributes:
        epochs: thousands of trials, on every data set.
        quick_samples: the number of trials of a quick run.
        segment: the number of trials between two measurements.
        n_test: the largest number of test samples.
        spiking: the neuron models and times.
    """

    load = pixels
    epochs: ClassVar[int] = 8
    quick_seeds = 1
    quick_samples: ClassVar[int] = 8
    segment: ClassVar[int] = 500
    n_test: ClassVar[int | None] = None
    spiking: ClassVar[Spiking] = Spiking()

    @classmethod
    def usual_epochs(cls, dataset: str) -> int:
        return cls.epochs

    @property
    def n_samples(self) -> int:
        """The number of trials of a run."""
        return self.quick_samples if self.setup.quick else 1000 * self.setup.epochs

    @property
    def model(self) -> Spiking:
        """The neuron models and times, which are coarser in quick runs."""
        return QUICK if self.setup.quick else self.spiking

    @abc.abstractmethod
    def conditions(self) -> Mapping[str, Spikes]:
        """The conditions, keyed by label."""

    def train(self) -> dict[str, Result]:
        if self.setup.scheduler is not None or self.setup.resume:
            raise cs.ParameterError(f"{self.title}: spiking circuits learn in this process, and from the beginning")
        return {label: self.learn(condition) for label, condition in self.conditions().items()}

    def learn(self, condition: Spikes) -> Result:
        """Train every seed. Alignment is recorded as split "probe", accuracies as "validation" and "test"."""
        circuit = cs.compile(condition.motif, replicas=self.setup.seeds, device="cpu", dtype="float64")
        result = Result(circuit, weights_of(circuit), cs.History())
        for seed in range(self.setup.seeds):
            net = self.network(cs.compile(condition.motif, seed=seed, device="cpu", dtype="float64"), condition)
            history = self._history(net, seed)
            result.history.rows += [(*row[:2], seed, *row[3:]) for row in history.rows]
            result.history.runaways += [{**runaway, "replica": seed} for runaway in history.runaways]
            result.networks.append(net)
        for p in condition.motif.projections:
            if p.tied_to is None:
                after = result.before[p.name].copy()  # seeds that ran away keep their weights of the start
                for seed in set(range(self.setup.seeds)).difference(result.runaways):
                    after[seed] = result.networks[seed].weights(p.name)
                circuit.set_weights(p.name, after)
        return result

    def rates(self, motif: cs.Motif, batch_size: int) -> Result:
        """Train a rate circuit with as many samples and the same measurements."""
        n_train = len(self.setup.data.train)
        data = one_hot(self.setup.data, min(self.n_samples, n_train))
        epochs, share = max(1, round(self.n_samples / n_train)), len(data.train) / n_train
        batch_size = min(batch_size, len(data.train))
        every = max(1, epochs * len(data.train) // batch_size // 20)
        probes = {"alignment": replace(self.probe(torch.float32), every_steps=every)}
        setup = replace(self.setup, load=lambda *_, **__: data, batch_size=batch_size, epochs=epochs, device="cpu")
        result = train("rates", Condition(motif, probes), setup)
        for split in ("validation", "test"):
            x, classes = self.test(split)
            right = (result.circuit.predict(x).argmax(-1) == classes).double().mean(1)
            result.history.add(
                step=result.circuit.n_steps, epoch=float(epochs), split=split, metric="accuracy", values=right.tolist()
            )
        # In the history an epoch is a pass over all training samples, as with spikes.
        result.history.rows = [(step, share * epoch, *row) for step, epoch, *row in result.history.rows]
        return result

    def network(self, circuit: cs.Circuit, condition: Spikes) -> SpikingNetwork:
        """Export the circuit as spiking neurons. Programs are compiled in the run folder, once per motif and model."""
        options: dict[str, Any] = {"target": "numpy", "n_trials": self.quick_samples // 2}
        if not self.setup.quick:
            programs = self.setup.out / "programs"
            options = {"target": "cpp_standalone", "n_trials": self.segment, "directory": programs}
        net: SpikingNetwork = cs.export_brian2(
            circuit, mode="spiking", spiking=condition.spiking or self.model, **options
        )  # fmt: skip
        for name in condition.frozen:
            rule = condition.motif.projection(name).rule
            has_rate = rule is not None and "eta" in rule.parameters
            net.set_parameter(*((f"{name}.eta", 0.0) if has_rate else (f"{name}.tau", NEVER)))
        net.set_trial(**condition.trial)
        return net

    def probe(self, dtype: torch.dtype = torch.float64) -> cs.Probe:
        """Return a probe that measures alignment on the first held-out samples."""
        x, classes = first_samples(self.setup.held_out, N_PROBED)
        target = functional.one_hot(classes, self.setup.layers[-1]).to(dtype)
        return cs.Probe(lambda circuit: cs.alignment(circuit, x.to(dtype), target, tuple(ALIGNMENT)))

    def test(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the samples of a split on which accuracy is measured."""
        n_test = self.quick_samples // 2 if self.setup.quick else self.n_test
        return first_samples(self.setup.data.splits[split], n_test)

    def _history(self, net: SpikingNetwork, seed: int) -> cs.History:
        probe, size = self.probe(), len(self.setup.data.train)

        def measure(network: SpikingNetwork, done: int, history: cs.History) -> None:
            now = cs.circuit_from_brian2(network)
            now.n_steps = done
            probe.call("alignment", now, history, done / size)

        try:
            history = net.fit(
                self.setup.data, samples=self.n_samples, seed=seed, schedule=as_schedule("cosine"), probe=measure,
                progress=self.setup.progress,
            )  # fmt: skip
        except cs.SimulationDiverged as error:
            history = cs.History()
            history.mark_runaway(
                {"replica": 0, "step": error.step, "projection": error.projection, "reason": str(error)}
            )
            return history
        for split in ("validation", "test"):
            x, classes = self.test(split)
            history.add(
                step=self.n_samples, epoch=self.n_samples / size, split=split, metric="accuracy",
                values=[net.accuracy(x, classes.numpy())],
            )  # fmt: skip
        return history

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        yield result.assembly("test")

    def configuration(self) -> Mapping[str, Any]:
        return {"samples": self.n_samples, "spiking": self.model.document()}


def raster_of(net: SpikingNetwork, split: cs.Split, n: int, title: str) -> Figure:
    """Draw every spike of the first samples of a split, shown without plasticity."""
    trial = net.spiking.course
    starts = np.arange(n) * trial.length_ms
    windows = {
        "ascends": [(start, start + trial.ascending_ms) for start in starts],
        "descends": [(start + trial.lag, start + trial.lag + trial.descending_ms) for start in starts],
    }
    recording = net.watch(*first_samples(split, n), learns=False)
    return plots.raster(recording.spikes, recording.sizes, trial_ms=trial.length_ms, windows_ms=windows, title=title)


def feedback_of(motif: cs.Motif) -> list[str]:
    """The plastic projections V, Vt and Wt, which `motifs.frozen_feedback` freezes."""
    kept = {p.name for p in motifs.frozen_feedback(motif).projections if p.is_plastic}
    return [p.name for p in motif.projections if p.is_plastic and p.name not in kept]
