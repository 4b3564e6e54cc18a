"""The data sets of experiments: those of `circuitsim.load_dataset`, smaller copies, and CIFAR-10 from JPEG copies."""

from __future__ import annotations

import io
import itertools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

import circuitsim as cs
from circuitsim.npz import read_npz
from circuitsim.train import setting
from circuitsim.train.setting import Setting

JPEG_COPIES = "cifar10_jpeg"
FILE = f"{JPEG_COPIES}.npz"
POOLED = "_14x14"  # ends the names of data sets whose images of 28 x 28 pixels are averaged to 14 x 14
SMALL = Setting((64, 64), 128, 5)  # for these


def load(dataset: str, folder: str | os.PathLike[str] | None = None) -> cs.Dataset:
    """Load the data set of a given name.

    Args:
        dataset: a name that `circuitsim.load_dataset` knows, or one with "_14x14" appended, whose images of 28 x 28
            pixels are averaged to 14 x 14, or "cifar10_jpeg".
        folder: the folder with the files, as in `circuitsim.load_dataset` or `load_jpeg_copies`.
    """
    if dataset == JPEG_COPIES:
        return load_jpeg_copies(folder)
    data = cs.load_dataset(dataset.removesuffix(POOLED), folder=folder)
    return pooled(data).standardized() if dataset.endswith(POOLED) else data


def setting_for(dataset: str) -> Setting:
    """Sizes and durations that suit a data set, as in `circuitsim.train.setting`."""
    return SMALL if dataset.endswith(POOLED) else setting.setting_for(dataset)


def pooled(data: cs.Dataset) -> cs.Dataset:
    """Average images of 28 x 28 pixels to 14 x 14. Other images remain unchanged."""
    if data.n_features != 28 * 28:
        return data

    def smaller(split: cs.Split) -> cs.Split:
        assert isinstance(split.x, torch.Tensor)
        return replace(split, x=functional.avg_pool2d(split.x.reshape(-1, 1, 28, 28), 2).flatten(1))

    splits: dict[str, Any] = {name: smaller(split) for name, split in data.splits.items()}
    return replace(data, **splits, name=f"{data.name}{POOLED}")


def published(dataset: str) -> str:
    """The name of the published data set: that of the originals if these are copies."""
    return dataset.removesuffix("_jpeg")


def load_jpeg_copies(folder: str | os.PathLike[str] | None = None) -> cs.Dataset:
    """Load CIFAR-10 from JPEG copies of its images, split and standardised as `circuitsim.load_dataset` does.

    JPEG is lossy, so the task is a little easier or harder than that of the published files. The name of the data set
    says so in every table.

    The file ``cifar10_jpeg.npz`` holds three arrays for each of "train" and "test": ``train_bytes``, the JPEG files of
    all images one after the other (uint8), ``train_sizes``, the length of each of these files in bytes, and
    ``train_labels``, the classes from 0 to 9. The images may be in any order, since they are shuffled.

    Args:
        folder: the folder that holds the file; by default the one named by the environment variable CIRCUITSIM_DATA.
    Raises:
        DataError: the file is missing or damaged.
    """
    path = Path(folder or os.environ.get("CIRCUITSIM_DATA", ".")).expanduser() / FILE
    if not path.is_file():
        raise cs.DataError(f"{path} is missing: say where {FILE} is with --folder, or with CIRCUITSIM_DATA")
    try:
        arrays = read_npz(path)
        (x, y), test = (_read(arrays, split) for split in ("train", "test"))
    except (cs.ArchiveError, KeyError, OSError) as fault:
        raise cs.DataError(f"{path} is damaged, or not a file of JPEG copies ({fault})") from fault
    name = "cifar10 (JPEG copies)"
    return cs.Dataset.from_arrays(x, y, validation=0.1, test=test, n_outputs=10, name=name).standardized(n_channels=3)


def _read(arrays: dict[str, NDArray[Any]], split: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images from 0 to 1, ``[sample, channel, row, column]``, and their classes, in a fixed random order."""
    data, ends = arrays[f"{split}_bytes"].tobytes(), np.cumsum(arrays[f"{split}_sizes"])
    files = [data[start:end] for start, end in itertools.pairwise([0, *ends])]
    order = np.random.default_rng(0).permutation(len(files))
    images = np.stack([np.asarray(Image.open(io.BytesIO(files[k])).convert("RGB")) for k in order])
    x = np.moveaxis(images, 3, 1).astype(np.float32)
    x /= 255
    return x, arrays[f"{split}_labels"].astype(np.int64)[order]
