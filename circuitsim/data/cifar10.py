"""CIFAR-10: 32 x 32 colour images of ten classes."""

from __future__ import annotations

import torch

from circuitsim.data.fileset import FileSet, Mirrors
from circuitsim.data.pixels import channel_first
from circuitsim.data.source import Request, Source

N_CLASSES = 10
VALIDATION = 0.1


def load_cifar10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Animals and vehicles, 3072 pixels from 0 to 1, 50000 and 10000 images.

    The files are pickles: none is opened before its md5 is found to be the published one.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images; read by torchvision.
    """
    from torchvision import datasets  # here because it takes a second to import

    class Reader(datasets.CIFAR10):
        base_folder = ""  # wherever they were found

    theirs = datasets.CIFAR10
    files = FileSet(
        "cifar10",
        "CIFAR10",
        dict(theirs.train_list + theirs.test_list) | {theirs.meta["filename"]: theirs.meta["md5"]},
        [theirs.url.removesuffix(theirs.filename)],
        inner=theirs.base_folder,
        archive=(theirs.filename, theirs.tgz_md5),
    )
    folder = files.obtain_verified(request, mirrors)
    (x, y), test = (
        (channel_first(part.data, channel_axis=3), torch.tensor(part.targets))
        for part in (Reader(folder, train=True), Reader(folder, train=False))
    )
    return Source(x, y, test, n_outputs=N_CLASSES, n_channels=3, validation=VALIDATION)
