"""Data sets of MedMNIST, each one .npz file with official training, validation and test splits."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.data.fileset import FileSet, Mirrors
from circuitsim.data.pixels import channel_first
from circuitsim.data.source import Request, Source


def load_npz(name: str, request: Request, mirrors: Mirrors) -> Source:
    """The data set that medmnist knows as `name`: pixels from 0 to 1; int64 classes or 0/1 label vectors."""
    medmnist = _medmnist()
    info = medmnist.INFO[name]
    file = f"{name}.npz"
    files = FileSet(
        name,
        info["python_class"],
        {file: info["MD5"]},
        [info["url"].partition(file)[0]],
        system=(Path.home() / ".medmnist",),
    )
    folder = files.obtain_verified(request, mirrors)
    reader = getattr(medmnist, info["python_class"])
    train, validation, test = (_read(reader(split=part, root=folder)) for part in ("train", "val", "test"))
    outline = {"n_outputs": len(info["label"]), "n_channels": info["n_channels"]}
    return Source(*train, test, validation=validation, **outline)


def _medmnist() -> ModuleType:
    """The package, without the empty ~/.medmnist that importing it leaves behind."""
    theirs = Path.home() / ".medmnist"
    was_there = theirs.exists()
    import medmnist  # here because it takes seconds to import

    if not was_there:
        with suppress(OSError):  # imported before, or put to use by someone else
            theirs.rmdir()
    module: ModuleType = medmnist
    return module


def _read(part: Any) -> tuple[Tensor, Tensor]:
    grey = part.imgs.ndim == 3
    images = part.imgs[..., None] if grey else part.imgs
    # one column holds the class
    labels = part.labels[:, 0] if part.labels.shape[1] == 1 else part.labels
    return channel_first(images, channel_axis=3), torch.from_numpy(labels.astype(np.int64))
