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
    - bce: "accuracy" (of single labels, with threshold 1/2) and "auc" (area under the ROC curve, averaged over the
      labels that have both values; NaN if there are none)

    Args:
        loss: the name of the loss.
        output: outputs of shape ``[replica, sample, output]``.
        target: classes of shape ``[1, sample]``, or labels or values of shape ``[1, sample, output]``.
    """
    found = {"loss": LOSSES[loss].of(output, target).mean(1)}
    if loss == "cross_entropy":
        found["accuracy"] = (output.argmax(-1) == target).to(torch.float64).mean(1)
    if loss == "bce":
        found["accuracy"] = ((output > 0) == (target > 0.5)).to(torch.float64).mean((1, 2))
    arrays = {name: value.double().cpu().numpy() for name, value in found.items()}
    if loss == "bce":
        arrays["auc"] = _auc(output.cpu().numpy(), target[0].cpu().numpy())
    return arrays


def tag(motif: Motif, objective: Objective) -> str:
    """Return the suffix of a metric's name: empty for a single objective, else its output, such as ``[up2]``."""
    return "" if len(motif.objectives) == 1 else f"[{objective.output}]"


def _auc(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    mixed = [k for k in range(target.shape[1]) if 0 < target[:, k].mean() < 1]
    if not mixed:
        return np.full(len(output), np.nan)
    from sklearn.metrics import roc_auc_score  # late: it takes a second to import

    return np.array(
        [
            np.mean([roc_auc_score(target[:, k], scores[:, k]) for k in mixed]) if np.isfinite(scores).all() else np.nan
            for scores in output
        ]
    )
