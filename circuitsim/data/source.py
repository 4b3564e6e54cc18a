"""What a loader is asked for, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
        y: int64 ``[sample]``.
        test: the pair (x, y) of the test split.
        n_outputs: number of classes.
        n_channels: channels to standardise separately.
        validation: the fraction of the samples to hold out for validation by default.
    """

    x: Tensor
    y: Tensor
    test: tuple[Tensor, Tensor]
    n_outputs: int
    n_channels: int
    validation: float


# finds one data set; its keyword-only arguments are the options of `load_dataset` that it knows
Loader = Callable[..., Source]
