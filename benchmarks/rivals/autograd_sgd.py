"""Not SAL: an MLP with the same layers, trained by backpropagation through torch.autograd and torch.optim.SGD."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from benchmarks.rivals import ETA, GAMMA


def make(layers: Sequence[int], batch: int, n_replicas: int = 1) -> Callable[[Tensor, Tensor], None]:
    """A step of SGD; one network."""
    modules: list[nn.Module] = []
    for a, b in itertools.pairwise(layers):
        modules += [nn.Linear(a, b, bias=False), nn.ReLU()]
    model = nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=ETA, weight_decay=GAMMA)
    loss_of = nn.CrossEntropyLoss()

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss_of(model(x), y).backward()
        optimizer.step()

    return step
