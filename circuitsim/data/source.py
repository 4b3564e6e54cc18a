"""The arguments and results of the functions that load data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Request:
    """The arguments of `load_dataset` that loaders need."""

    folder: Path | None
    download: bool
    progress: bool
    seed: int


@dataclass(frozen=True, eq=False)
class Source:
    """The samples of a data set, before validation samples are held out and inputs are standardised."""

    x: Tensor  # floating inputs ``[sample, feature]``, with the features ordered by channel
    y: Tensor  # classes int64 ``[sample]``, or 0/1 labels int64 ``[sample, label]``
    test: tuple[Tensor, Tensor]  # x and y of the test split
    n_outputs: int  # classes or labels
    n_channels: int  # which are standardised separately
    # the fraction of the samples to hold out by default, or x and y of the data set's own validation split
    validation: float | tuple[Tensor, Tensor]

    def whole_training(self) -> tuple[Tensor, Tensor]:
        """Return x and y of all samples outside the test split."""
        if not isinstance(self.validation, tuple):
            return self.x, self.y
        x, y = self.validation
        return torch.cat([self.x, x]), torch.cat([self.y, y])


# A loader takes a Request; its keyword-only arguments are the options of the data set.
Loader = Callable[..., Source]


def samples_of_images(images: np.ndarray[Any, Any], targets: Any) -> tuple[Tensor, Tensor]:
    """Convert images and their targets to tensors.

    Args:
        images: pixels uint8 ``[sample, channel, row, column]``, possibly with more axes.
        targets: integers ``[sample]`` or ``[sample, label]``.
    Returns:
        Pixels from 0 to 1, float32 ``[sample, feature]``, ordered by channel, and the targets as int64.
    """
    x = torch.from_numpy(np.ascontiguousarray(images)).flatten(1).to(torch.float32).div_(255)
    return x, torch.as_tensor(np.asarray(targets, dtype=np.int64))
