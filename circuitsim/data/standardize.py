"""Standardise inputs with the statistics of the training split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from circuitsim.data.dataset import Dataset
from circuitsim.data.split import each

SAMPLES_AT_ONCE = 256


def standardize(data: Dataset, n_channels: int) -> Dataset:
    """``(x - mean) / std`` per channel, with mean and std over the training samples and the channel's pixels.

    Args:
        data: inputs ``[sample, feature]``, where features are channels of equally many pixels, one channel after
            the other. One channel gives one global mean and std; as many channels as features, one per feature.
        n_channels: dimensionless.

    A channel that is constant in training has no scale: it is centred and left as it is otherwise.
    """
    assert isinstance(data.train.x, Tensor)  # named data sets have one input population
    mean, std = _statistics(data.train.x, n_channels)

    def scale(x: Tensor) -> Tensor:
        return (_by_channel(x, n_channels) - mean).div_(std).flatten(1)

    scaled: dict[str, Any] = {name: replace(split, x=each(split.x, scale)) for name, split in data.splits.items()}
    return replace(data, **scaled)


def _by_channel(x: Tensor, n_channels: int) -> Tensor:
    return x.reshape(len(x), n_channels, -1)


def _statistics(x: Tensor, n_channels: int) -> tuple[Tensor, Tensor]:
    """Mean and std (of the samples, not of a population they come from), each ``[channel, 1]``."""

    def average(change: Callable[[Tensor], Tensor]) -> Tensor:
        """The mean of changed pixels, summed in float64; a few samples at a time, which stay in the CPU's cache."""
        parts = (change(_by_channel(part, n_channels)) for part in torch.split(x, SAMPLES_AT_ONCE))
        total = torch.stack([part.sum(dim=(0, 2), dtype=torch.float64) for part in parts]).sum(0)
        return total[:, None] * n_channels / x.numel()

    mean = average(lambda part: part).to(x.dtype)
    # from deviations, summed in float64: `torch.std` rounds, and gives a constant channel a tiny std instead of 0
    std = average(lambda part: (part - mean).square()).sqrt().to(x.dtype)
    return mean, torch.where(std == 0, 1.0, std)
