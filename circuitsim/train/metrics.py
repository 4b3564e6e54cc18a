"""Metrics per replica, computed from outputs and targets; while learning on the device, so that steps need not wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.engine.losses import LOSSES
from circuitsim.motif import Motif, Objective


def metrics(loss: str, output: Tensor, target: Tensor) -> dict[str, np.ndarray]:
    """Compute the usual metrics for a loss, each of shape ``[replica]``.

    - all: "loss", the mean over samples
    - cross_entropy: "accuracy"
    - bce: "accuracy" (of single labels) and "auc" (area under the ROC curve, averaged over the labels that have both
      values; NaN if there are none). Labels between 0 and 1 count as 1 above 1/2.

    Args:
        output: outputs of shape ``[replica, sample, output]``.
        target: classes of shape ``[replica, sample]``, or labels or values of shape ``[replica, sample, output]``; the
            first axis may be 1 if all replicas have the same.
    """
    found = {"loss": LOSSES[loss].of(output, target).mean(1)}
    if loss == "cross_entropy":
        found["accuracy"] = (output.argmax(-1) == target).to(torch.float64).mean(1)
    if loss == "bce":
        found["accuracy"] = ((output > 0) == (target > 0.5)).to(torch.float64).mean((1, 2))
    arrays = {name: value.double().cpu().numpy() for name, value in found.items()}
    if loss == "bce":
        arrays["auc"] = _auc(output.cpu().numpy(), (target > 0.5).cpu().numpy())
    return arrays


def tag(motif: Motif, objective: Objective) -> str:
    """Return the suffix of a metric's name: empty for a single objective, else its output, such as ``[up2]``."""
    return "" if len(motif.objectives) == 1 else f"[{objective.output}]"


def _auc(output: np.ndarray, labels: np.ndarray) -> np.ndarray:
    from sklearn.metrics import roc_auc_score  # late: it takes a second to import

    found = np.full(len(output), np.nan)
    for replica, (scores, given) in enumerate(zip(output, np.broadcast_to(labels, output.shape), strict=True)):
        mixed = given.any(0) & ~given.all(0)
        if mixed.any() and np.isfinite(scores).all():
            found[replica] = roc_auc_score(given[:, mixed], scores[:, mixed])
    return found


class OnlineMetrics:
    """Means of loss and accuracy over the steps since the last `take`."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        classified = [o for o in circuit.motif.objectives if o.loss == "cross_entropy"]
        self.classified = {o.output: f"accuracy{tag(circuit.motif, o)}" for o in classified}
        self.last_loss: Tensor | None = None
        self._sums: dict[str, Tensor] = {}
        self._n_steps = 0
        self._latest: dict[str, np.ndarray] = {}

    def add(self, loss: Tensor | None, target: Any) -> None:
        """Add the loss ``[replica]`` of one step, and its accuracy given the target."""
        if loss is None:
            return
        self.last_loss = loss
        self._n_steps += 1
        self._accumulate("loss", loss)
        for output, metric in self.classified.items():
            chosen = self.circuit.judged(output).argmax(-1)
            given = target[output] if isinstance(target, Mapping) else target
            classes = torch.as_tensor(given, device=chosen.device)
            classes = classes if classes.ndim == chosen.ndim else classes.unsqueeze(0)
            shard = self.circuit.processes.shard(classes.shape[1])
            right = (chosen == shard.part(classes)).to(loss.dtype)
            self._accumulate(metric, shard.mean(right.flatten(2).mean(2) if right.ndim == 3 else right))

    def _accumulate(self, name: str, value: Tensor) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _means(self) -> dict[str, np.ndarray]:
        return {name: (total / self._n_steps).double().cpu().numpy() for name, total in self._sums.items()}

    def take(self) -> dict[str, np.ndarray]:
        """Return the means since the last call, each of shape ``[replica]``, and start anew."""
        means = self._means()
        self._sums, self._n_steps = {}, 0
        return means

    def summary(self) -> str:
        """Return the means over the replicas that are not pinned as text, for the display."""
        self._latest = self._means() or self._latest
        pinned = list(self.circuit.pinned)
        kept = {name: np.delete(value, pinned) for name, value in self._latest.items()}
        shown = [f"{name} {np.nanmean(value):.3f}" for name, value in kept.items() if np.isfinite(value).any()]
        return ", ".join([*shown, f"{len(pinned)} replicas pinned, left out"] if pinned else shown)
