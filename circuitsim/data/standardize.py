"""Standardisation of inputs with the statistics of the training split."""

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
    """Compute ``(x - mean) / std`` per channel, with mean and std over the channel's pixels in the training samples.

    Args:
        data: a data set with inputs ``[sample, feature]``, whose features are ordered by channel.
        n_channels: the number of channels, which have equal numbers of features: 1 for a global mean and std, or the
            number of features for a mean and std per feature.

    A channel that is constant in the training samples is only centred.
    """
    assert isinstance(data.train.x, Tensor)  # data sets loaded by name have one input population
    mean, std = _statistics(data.train.x, n_channels)

    def scale(x: Tensor) -> Tensor:
        return (_by_channel(x, n_channels) - mean).div_(std).flatten(1)

    scaled: dict[str, Any] = {name: replace(split, x=each(split.x, scale)) for name, split in data.splits.items()}
    return replace(data, **scaled)


def _by_channel(x: Tensor, n_channels: int) -> Tensor:
    return x.reshape(len(x), n_channels, -1)


def _statistics(x: Tensor, n_channels: int) -> tuple[Tensor, Tensor]:
    """Return the mean and the (biased) standard deviation, each of shape ``[channel, 1]``."""

    def average(change: Callable[[Tensor], Tensor]) -> Tensor:
        """Average changed pixels in float64, a few samples at a time so that they stay in the CPU's cache."""
        parts = (change(_by_channel(part, n_channels)) for part in torch.split(x, SAMPLES_AT_ONCE))
        total = torch.stack([part.sum(dim=(0, 2), dtype=torch.float64) for part in parts]).sum(0)
        return total[:, None] * n_channels / x.numel()

    mean = average(lambda part: part).to(x.dtype)
    # summed in float64, because `torch.std` rounds and may return a tiny value instead of 0 for a constant channel
    std = average(lambda part: (part - mean).square()).sqrt().to(x.dtype)
    return mean, torch.where(std == 0, 1.0, std)
