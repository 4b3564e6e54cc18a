"""Spiking runs with what is measured on them: seeds of one network, as replicas of one history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from circuitsim.analysis import alignment
from circuitsim.data import Dataset, Split, load_dataset
from circuitsim.engine import compile
from circuitsim.errors import SimulationDiverged
from circuitsim.export import Spiking, SpikingNetwork, Trial, circuit_from_brian2, export_brian2
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.experiment import Options
from circuitsim.studies.self_assembly import TITLES
from circuitsim.studies.trained import shown
from circuitsim.train import Probe
from circuitsim.train.schedule import NAMED

PROBED = 200  # validation samples on which alignment is measured
SEGMENT = 500  # trials between two measurements
# Coarser steps and shorter volleys, on Brian2's numpy target, which compiles nothing.
QUICK = Spiking(trial=Trial(ascending_ms=30, descending_ms=30, silence_ms=20), dt_ms=1.0)


@dataclass(frozen=True)
class Setup:
    """How spiking circuits are run in a study.

    Args:
        data: the data set; its targets are classes.
        samples: trials of a run.
        n_trials: of a segment, between which one measures.
        seeds: circuits of a row.
        target: of Brian2.
        spiking: neuron models and times.
        progress: whether bars are shown.
        n_test: test samples, at most.
        programs: folder in which compiled programs are kept; by default a temporary one.
    """

    data: Dataset
    samples: int
    n_trials: int
    seeds: int
    target: str
    spiking: Spiking = field(default_factory=Spiking)
    progress: bool = True
    n_test: int | None = None
    programs: Path | None = None

    @classmethod
    def of(cls, options: Options, samples: int = 8000, quick_samples: int = 8, programs: Path | None = None) -> Setup:
        """What options say; `epochs` are thousands of trials here, since a trial is a sample."""
        data = load_dataset(options.dataset, standardize=False)  # pixels from 0 to 1: rates are not negative
        if options.quick:
            n = quick_samples
            return cls(data, n, n // 2, min(options.seeds, 1), "numpy", QUICK, options.progress, n // 2)
        n = samples if options.epochs is None else 1000 * options.epochs
        return cls(data, n, SEGMENT, options.seeds, "cpp_standalone", Spiking(), options.progress, None, programs)

    def layers(self, hidden: Sequence[int]) -> list[int]:
        """Sizes of the ascending populations."""
        n_in, n_out = self.data.n_features, self.data.n_outputs
        assert isinstance(n_in, int) and isinstance(n_out, int)
        return [n_in, *hidden, n_out]

    def one_hot(self, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of at most `PROBED` samples, as a squared error takes them."""
        x, y = tensors(split, PROBED)
        assert isinstance(self.data.n_outputs, int)
        return x, torch.nn.functional.one_hot(y, self.data.n_outputs).double()

    @property
    def held_out(self) -> Split:
        """For probes: validation samples."""
        return self.data.validation if self.data.validation is not None else self.data.train

    def test(self, split: str = "test") -> tuple[Any, np.ndarray]:
        """Inputs and classes of a split."""
        x, y = tensors(self.data.splits[split], self.n_test)
        return x, y.numpy()


def tensors(split: Split, n: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and classes of the first samples of a split with one input and one objective."""
    assert isinstance(split.x, torch.Tensor) and isinstance(split.target, torch.Tensor)
    return split.x[:n], split.target[:n]


@dataclass
class Row:
    """One condition: a motif, and what its seeds did.

    Args:
        history: seeds as replicas; alignment as "probe", accuracies as "validation" and "test".
        networks: of each seed, after learning.
        before: projection -> weights of the first seed at the start, ``[1, post, pre]``.
    """

    history: History
    networks: list[SpikingNetwork]
    before: dict[str, np.ndarray]

    def final(self, metric: str, split: str = "probe", site: str | None = None) -> np.ndarray:
        """The last value for each seed."""
        return self.history.final(metric, split, site)


def figures_of(history: History, sites: Sequence[str]) -> dict[str, str]:
    """The cells of a table: final accuracy and cosines, a line per layer.

    Args:
        history: with rows of "probe" and "test".
        sites: the projections W whose cosine with the gradient is told.
    """
    found = {"test accuracy, %": shown(accuracy_of(history), scale=100)}
    table = history.to_pandas()
    probes = table[table.split == "probe"]
    for metric, title in TITLES.items():
        of = probes[probes.metric == metric]
        of = of[of.site.isin(list(sites))] if metric == "gradient_cosine" else of
        last = of[of.step == of.step.max()]
        found[title] = "\n".join(shown(group.value) for _, group in last.groupby("site")) or "-"
    return found


def accuracy_of(history: History) -> np.ndarray:
    """Final test accuracy, ``[replica]``; one NaN if every seed ran away."""
    try:
        return history.final("accuracy", "test")
    except KeyError:
        return np.array([np.nan])


def run_row(
    setup: Setup, motif: Motif, prepare: Callable[[SpikingNetwork], None] = lambda net: None,
    trial: Mapping[str, Any] | None = None, schedule: str = "cosine", splits: Sequence[str] = ("validation", "test"),
) -> Row:  # fmt: skip
    """Let every seed assemble itself.

    Args:
        setup: data, samples, seeds.
        motif: with one objective of squared errors.
        prepare: what is done to each network first, such as setting rates to 0.
        trial: what is played otherwise, such as ``{"lag_ms": 0}``; nothing is compiled anew.
        schedule: of all eta.
        splits: whose accuracy is measured in the end.
    """
    merged, networks = History(), []
    before: dict[str, np.ndarray] = {}
    x, y = setup.one_hot(setup.held_out)
    probe = Probe(lambda c: alignment(c, x, y, tuple(TITLES)))
    for seed in range(setup.seeds):
        circuit = compile(motif, seed=seed, device="cpu", dtype="float64")
        net = export_brian2(
            circuit,
            mode="spiking",
            target=setup.target,
            spiking=setup.spiking,
            n_trials=setup.n_trials,
            directory=None if setup.target != "cpp_standalone" else setup.programs,
        )
        prepare(net)
        net.set_trial(**(trial or {}))
        before = before or {p.name: circuit.weights(p.name).numpy() for p in motif.projections}

        def measure(network: SpikingNetwork, done: int, history: History) -> None:
            now = circuit_from_brian2(network)
            now.n_steps = done
            probe.call("alignment", now, history, done / len(setup.data.train))

        try:
            history = net.fit(
                setup.data, samples=setup.samples, seed=seed, schedule=NAMED[schedule], probe=measure,
                progress=setup.progress,
            )  # fmt: skip
            for split in splits:
                found = net.accuracy(*setup.test(split))
                history.add(step=setup.samples, epoch=setup.samples / len(setup.data.train), split=split,
                            metric="accuracy", values=[found])  # fmt: skip
        except SimulationDiverged as error:
            history = History()
            history.mark_runaway(
                {"replica": 0, "step": error.step, "projection": error.projection, "reason": str(error)}
            )
        merged.rows += [(*row[:2], seed, *row[3:]) for row in history.rows]
        merged.runaways += [{**runaway, "replica": seed} for runaway in history.runaways]
        networks.append(net)
    return Row(merged, networks, before)


def silence(*projections: str) -> Callable[[SpikingNetwork], None]:
    """For `run_row`: the rates of these projections are 0, so they keep their random start."""

    def prepare(net: SpikingNetwork) -> None:
        for name in projections:
            net.set_parameter(f"{name}.eta", 0.0)

    return prepare


def feedback_of(motif: Motif) -> list[str]:
    """The plastic projections V, Vt and Wt."""
    kept = []
    for p in motif.projections:
        ascends = motif.population(p.pre).stream == motif.population(p.post).stream == "ascending"
        if p.is_plastic and not (ascends and p.target == "soma"):
            kept.append(p.name)
    return kept
