"""Trained circuits, and numbers of theirs in a table's cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.experiment import Options
from circuitsim.studies.self_assembly import SETTINGS
from circuitsim.studies.task import Task, task_for
from circuitsim.train import Probe

QUICK_EPOCHS, QUICK_EPOCHS_LARGE = 20, 1


def bench(options: Options) -> Task:
    """The task that options name."""
    return task_for(options, QUICK_EPOCHS if options.dataset in SETTINGS else QUICK_EPOCHS_LARGE)


def loss_of(task: Task) -> str:
    """The loss that fits the targets."""
    return {"classes": "cross_entropy", "labels": "bce", "values": "mse"}[str(task.data.kind)]


def metric_of(task: Task) -> str:
    """What is reported for such targets: accuracy, AUC where a sample has several labels, or the loss."""
    return {"classes": "accuracy", "labels": "auc", "values": "loss"}[str(task.data.kind)]


@dataclass
class Trained:
    """A motif that has learned.

    Args:
        circuit: after learning.
        before: projection -> weights at the start, ``[replica, post, pre]``.
        history: of the run.
    """

    circuit: Circuit
    before: dict[str, np.ndarray]
    history: History

    @property
    def n_runaways(self) -> int:
        """How many replicas ran away."""
        return len({runaway["replica"] for runaway in self.history.runaways})

    def final(self, metric: str, split: str) -> np.ndarray:
        """The last value of each replica; NaN for those that ran away, or where the split is missing."""
        try:
            values = self.history.final(metric, split).astype(float)
        except KeyError:
            return np.full(self.circuit.n_replicas, np.nan)
        values[[runaway["replica"] for runaway in self.history.runaways]] = np.nan
        return values


def train(
    motif: Motif, task: Task, probes: Mapping[str, Probe] | None = None, quantities: Collection[str] = ()
) -> Trained:
    """Let a motif learn: seeds 0, 1, ... as replicas of one circuit, cosine schedule.

    Args:
        motif, task: what learns, and on what.
        probes: of the run.
        quantities: of `circuitsim.alignment`, probed too.
    """
    circuit = compile(motif, replicas=task.seeds, seed=0, device=task.device)
    if quantities:
        probes = {**(probes or {}), "alignment": task.aligned(circuit, quantities)}
    before = weights_of(circuit)
    return Trained(circuit, before, task.learn(circuit, probes))


def weights_of(circuit: Circuit) -> dict[str, np.ndarray]:
    """Projection -> a copy of its weights, ``[replica, post, pre]``."""
    return {p.name: circuit.weights(p.name).cpu().numpy() for p in circuit.motif.projections}


def shown(values: Any, digits: int = 2, scale: float = 1.0) -> str:
    """Mean ± sample standard deviation over the replicas that have a value, and how many have none."""
    array = scale * np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    lost = len(array) - len(finite)
    if not len(finite):
        return "-"
    deviation = finite.std(ddof=1) if len(finite) > 1 else 0.0
    return f"{finite.mean():.{digits}f} ± {deviation:.{digits}f}" + (f" ({lost} without)" if lost else "")


def mean(values: Any) -> float:
    """Mean over the replicas that have a value, NaN where none has."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    return float(finite.mean()) if len(finite) else float("nan")
