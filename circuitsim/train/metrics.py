"""Figures of merit, per replica, from outputs and targets."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from circuitsim.engine.losses import LOSSES


def metrics(loss: str, output: Tensor, target: Tensor) -> dict[str, np.ndarray]:
    """What is usual for a loss; each value has shape ``[replica]``.

    - all: "loss", the mean over samples
    - cross_entropy: "accuracy"
    - bce: "accuracy" (of single labels, at 1/2) and "auc" (area under the ROC curve, mean over labels; NaN where
      no label has both values)

    Args:
        loss: name of the loss.
        output: ``[replica, sample, output]``.
        target: ``[1, sample]`` classes, or ``[1, sample, output]``.
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


def _auc(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    mixed = [k for k in range(target.shape[1]) if 0 < target[:, k].mean() < 1]
    if not mixed:
        return np.full(len(output), np.nan)
    return np.array(
        [
            np.mean([roc_auc_score(target[:, k], scores[:, k]) for k in mixed]) if np.isfinite(scores).all() else np.nan
            for scores in output
        ]
    )
