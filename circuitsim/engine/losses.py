"""Losses: the value for each sample, and minus its gradient with respect to the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from circuitsim.errors import DataError


@dataclass(frozen=True)
class Loss:
    """A loss. Outputs have shape ``[R, B, n]``; targets ``[R or 1, B, n]``, class indices ``[R or 1, B]``.

    Args:
        value: ``[R, B]``, the loss of each sample.
        minus_gradient: ``[R, B, n]``, of each *sample's* loss (not divided by the batch size).
        takes_classes: whether targets are class indices.
    """

    value: Callable[[Tensor, Tensor], Tensor]
    minus_gradient: Callable[[Tensor, Tensor], Tensor]
    takes_classes: bool = False


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    log_probabilities = functional.log_softmax(output, dim=-1)
    return -log_probabilities.gather(-1, target.expand(output.shape[:2]).unsqueeze(-1)).squeeze(-1)


def _onehot_minus_softmax(output: Tensor, target: Tensor) -> Tensor:
    error = functional.softmax(output, dim=-1).neg_()
    index = target.expand(output.shape[:2]).unsqueeze(-1)
    return error.scatter_add_(-1, index, torch.ones_like(index, dtype=output.dtype))


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(_cross_entropy, _onehot_minus_softmax, takes_classes=True),
    "mse": Loss(lambda y, t: (y - t).square().sum(-1) / 2, lambda y, t: t - y),
    "bce": Loss(
        lambda y, t: functional.binary_cross_entropy_with_logits(y, t.expand_as(y), reduction="none").sum(-1),
        lambda y, t: t - torch.sigmoid(y),
    ),
}


def as_target(target: Tensor, loss: Loss, size: int, n_replicas: int, n_samples: int, owner: str) -> Tensor:
    """Check a target and give it a leading replica axis.

    Raises:
        DataError: the shape does not fit the output, or (on the CPU, where looking is free) a class is out of range.
    """
    n_axes = 1 if loss.takes_classes else 2
    wanted = "[batch]" if loss.takes_classes else f"[batch, {size}]"
    if target.ndim == n_axes:
        target = target.unsqueeze(0)
    fits = target.ndim == n_axes + 1 and target.shape[0] in (1, n_replicas) and target.shape[1] == n_samples
    if not fits or (n_axes == 2 and target.shape[2] != size):
        raise DataError(f"{owner}: target has shape {tuple(target.shape)}, needs {wanted} with batch = {n_samples}")
    if loss.takes_classes:
        if target.is_floating_point() or target.is_complex():
            raise DataError(f"{owner}: target must hold class indices (got {target.dtype})")
        target = target.long()
        if target.device.type == "cpu" and target.numel() and not 0 <= int(target.min()) <= int(target.max()) < size:
            raise DataError(f"{owner}: target holds classes {int(target.min())} to {int(target.max())}; size is {size}")
    return target
