"""The same MLP as most users would write it, with torch.nn, torch.optim.SGD and a loop over epochs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from benchmarks.rivals import ETA, GAMMA, Step


def make(layers: Sequence[int]) -> Step:
    """Make a step that returns the loss as a scalar tensor."""
    model = mlp(layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=ETA, weight_decay=GAMMA)
    loss_of = nn.CrossEntropyLoss()

    def step(x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def mlp(layers: Sequence[int]) -> nn.Sequential:
    """Build an MLP of linear layers without biases, with ReLU between them."""
    modules: list[nn.Module] = []
    for a, b in itertools.pairwise(layers):
        modules += [nn.Linear(a, b, bias=False), nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def make_epochs(layers: Sequence[int], x: Tensor, y: Tensor, batch: int, epochs: int) -> Callable[[], float]:
    """Make a function that trains for a number of epochs and returns the mean loss of the last one.

    Args:
        layers: the layer sizes of the MLP.
        x, y: all samples ``[sample, input]`` and classes ``[sample]``, in memory.
        batch: the number of samples per step, in a new order every epoch.
        epochs: the number of passes over the samples.
    """
    step = make(layers)

    def train() -> float:
        for _ in range(epochs):
            order, running = torch.randperm(len(x), device=x.device), torch.zeros((), device=x.device)
            for chosen in order.split(batch):
                running += step(x[chosen], y[chosen]) * len(chosen)
        return running.item() / len(x)

    return train
