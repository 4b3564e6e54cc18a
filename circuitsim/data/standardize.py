"""Standardisation of inputs with the statistics of the training split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from circuitsim.data.split import Split, each

SAMPLES_AT_ONCE = 256


def standardized(splits: Mapping[str, Split], n_channels: int) -> dict[str, Split]:
    """Compute ``(x - mean) / std`` per channel, with mean and std over the channel's pixels in the training samples.

    Features are ordered by channel; all channels have as many. One that is constant in training is only centred.
    """
    x = splits["train"].x
    assert isinstance(x, Tensor)  # data sets loaded by name or from a folder have one input population
    mean, std = _statistics(x, n_channels)

    def scale(x: Tensor) -> Tensor:
        return (_by_channel(x, n_channels) - mean).div_(std).view(x.shape)

    return {name: replace(split, x=each(split.x, scale)) for name, split in splits.items()}


def _by_channel(x: Tensor, n_channels: int) -> Tensor:
    return x.reshape(-1, n_channels, x.shape[-1] // n_channels)  # time steps count as samples


def _statistics(x: Tensor, n_channels: int) -> tuple[Tensor, Tensor]:
    """Return the mean and the (biased) standard deviation, each of shape ``[channel, 1]``."""

    def average(change: Callable[[Tensor], Tensor]) -> Tensor:
        """Average changed pixels in float64, a few samples at a time so that they stay in the CPU's cache."""
        parts = (change(_by_channel(part, n_channels)) for part in torch.split(x, SAMPLES_AT_ONCE))
        total = torch.stack([part.sum(dim=(0, 2), dtype=torch.float64) for part in parts]).sum(0)
        return total[:, None] * n_channels / x.numel()

    mean = average(lambda part: part).to(x.dtype)
    # squared and summed in float64, because `torch.std` rounds and may return a tiny value instead of 0 for a constant
    # channel, and squares of large or small numbers are no numbers of float32
    std = average(lambda part: (part - mean).double().square()).sqrt().to(x.dtype)
    return mean, torch.where(std == 0, 1.0, std)
