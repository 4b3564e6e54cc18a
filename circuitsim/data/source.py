"""What a loader is asked for, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Request:
    """How `load_dataset` was called: a folder that the user named, whether to download, the seed, a progress bar."""

    folder: Path | None
    download: bool
    progress: bool
    seed: int


@dataclass(frozen=True, eq=False)
class Source:
    """Samples as a loader found them, before validation is held out and inputs are standardised.

    Args:
        x: floating ``[sample, feature]``, features channel by channel.
        y: classes int64 ``[sample]``, or 0/1 labels int64 ``[sample, label]``.
        test: the pair (x, y) of the test split.
        n_outputs: number of classes or labels.
        n_channels: channels to standardise separately.
        validation: the fraction of the samples to hold out for validation by default; or the pair (x, y) of the
            data set's own validation split.
    """

    x: Tensor
    y: Tensor
    test: tuple[Tensor, Tensor]
    n_outputs: int
    n_channels: int
    validation: float | tuple[Tensor, Tensor]

    def whole_training(self) -> tuple[Tensor, Tensor]:
        """x and y of all samples outside the test split."""
        if not isinstance(self.validation, tuple):
            return self.x, self.y
        x, y = self.validation
        return torch.cat([self.x, x]), torch.cat([self.y, y])


# finds one data set; its keyword-only arguments are the options of `load_dataset` that it knows
Loader = Callable[..., Source]
