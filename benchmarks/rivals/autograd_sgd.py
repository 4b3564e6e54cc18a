"""An MLP with the layers of SAL, trained by backpropagation in the fastest way that torch.autograd offers.

It uses plain tensors and one pass over the weights; torch.nn and torch.optim (torch_nn.py) take 5 to 10 % longer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.rivals import ETA, GAMMA, Step


def make(w: Sequence[Tensor]) -> Step:
    """Make a step of SGD with weight decay.

    Args:
        w: the weights ``[post, pre]`` of each layer, which the step changes in place.
    """
    weights = [tensor.requires_grad_() for tensor in w]

    def step(x: Tensor, y: Tensor) -> None:
        h = x
        for layer in weights[:-1]:
            h = torch.relu(h @ layer.T)
        loss = cross_entropy(h @ weights[-1].T, y)
        descend(weights, torch.autograd.grad(loss, weights))

    return step


@torch.no_grad()
def descend(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """w <- (1 - eta gamma) w - eta gradient, in place."""
    torch._foreach_mul_(weights, 1 - ETA * GAMMA)
    torch._foreach_add_(weights, gradients, alpha=-ETA)
