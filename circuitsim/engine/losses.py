"""Losses for use outside a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Loss:
    """A loss. Outputs have shape ``[R, B, n]``; targets ``[R or 1, B, n]``, class indices ``[R or 1, B]``.

    Args:
        of: returns the loss of each sample, ``[R, B]``.
        takes_classes: whether targets are class indices.
        takes_labels: whether targets are labels from 0 to 1.
    """

    of: Callable[[Tensor, Tensor], Tensor]
    takes_classes: bool = False
    takes_labels: bool = False


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    index = target.expand(len(output), -1).unsqueeze(-1)
    return -torch.log_softmax(output, -1).gather(-1, index).squeeze(-1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(_cross_entropy, takes_classes=True),
    "mse": Loss(lambda y, t: ((y - t) ** 2).sum(-1) / 2),
    # log(1 + exp(y)) - y t, summed over labels; softplus does not overflow
    "bce": Loss(lambda y, t: (functional.softplus(y) - y * t).sum(-1), takes_labels=True),
}
