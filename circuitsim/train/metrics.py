"""Metrics per replica, computed from outputs and targets."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.losses import LOSSES
from circuitsim.motif import Motif, Objective


def metrics(loss: str, output: Tensor, target: Tensor) -> dict[str, np.ndarray]:
    """Compute the usual metrics for a loss, each of shape ``[replica]``.

    - all: "loss", the mean over samples
    - cross_entropy: "accuracy"
    - bce: "accuracy" (of single labels) and "auc" (area under the ROC curve, averaged over the labels that have both
      values; NaN if there are none). Labels between 0 and 1 count as 1 above 1/2.

    Args:
        loss: the name of the loss.
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
