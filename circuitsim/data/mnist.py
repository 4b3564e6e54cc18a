"""MNIST and Fashion-MNIST: 28 x 28 grey images of ten classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from circuitsim.data.fileset import FileSet, Mirrors
from circuitsim.data.idx import read_images, read_labels
from circuitsim.data.source import Request, Source
from circuitsim.errors import DataError

TRAIN = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
TEST = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
N_CLASSES = 10
VALIDATION = 5000 / 60000


@dataclass(frozen=True)
class IdxSet:
    """A data set of four idx files.

    Args:
        name, class_name: circuitsim's and torchvision's name.
        first_labels: of the training images: all that tells apart sets whose files have the same names.
        system: folders of system packages that may hold the files.
        advice: how to install such a package.
    """

    name: str
    class_name: str
    first_labels: tuple[int, ...]
    system: tuple[Path, ...] = ()
    advice: str = ""


MNIST = IdxSet("mnist", "MNIST", (5, 0, 4, 1, 9, 2, 1, 3, 1, 4))
FASHION_MNIST = IdxSet(
    "fashion_mnist",
    "FashionMNIST",
    (9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
    (Path("/usr/share/datasets/fashion-mnist"),),
    " On Debian, `apt install dataset-fashion-mnist` provides them.",
)


def load_mnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Handwritten digits (LeCun, Cortes & Burges, 1998), 784 pixels from 0 to 1, 60000 and 10000 images."""
    return _load(MNIST, request, mirrors)


def load_fashion_mnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Articles of clothing (Xiao, Rasul & Vollgraf, 2017), 784 pixels from 0 to 1, 60000 and 10000 images."""
    return _load(FASHION_MNIST, request, mirrors)


def _load(idx_set: IdxSet, request: Request, mirrors: Mirrors) -> Source:
    from torchvision import datasets  # here because it takes a second to import

    theirs = getattr(datasets, idx_set.class_name)
    files = FileSet(
        idx_set.name,
        idx_set.class_name,
        dict(theirs.resources),
        theirs.mirrors,
        inner="raw",
        system=idx_set.system,
        advice=idx_set.advice,
    )
    paths = files.obtain(request, mirrors)  # not verified: packages and users compress them in their own ways
    x, y = _read(*(paths[file] for file in TRAIN))
    for other in (MNIST, FASHION_MNIST):
        if other.name != idx_set.name and tuple(y[:10].tolist()) == other.first_labels:
            here = paths[TRAIN[0]].parent
            raise DataError(f"the files in {here} are {other.name}'s: give the folder of {idx_set.name}")
    test = _read(*(paths[file] for file in TEST))
    return Source(x, y, test, n_outputs=N_CLASSES, n_channels=1, validation=VALIDATION)


def _read(images_path: Path, labels_path: Path) -> tuple[Tensor, Tensor]:
    """Pixels float32 ``[sample, 784]`` from 0 to 1, and labels int64 ``[sample]``."""
    images, labels = read_images(images_path), read_labels(labels_path)
    if images.shape[1:] != (28, 28):
        raise DataError(f"{images_path} holds images of {list(images.shape[1:])} pixels; they should be 28 x 28")
    if len(images) != len(labels):
        raise DataError(f"{images_path} holds {len(images)} images, but {labels_path} holds {len(labels)} labels")
    if int(labels.max()) >= N_CLASSES:
        raise DataError(f"{labels_path} holds the label {int(labels.max())}; classes are 0 to {N_CLASSES - 1}")
    return images.flatten(1).to(torch.float32) / 255, labels
