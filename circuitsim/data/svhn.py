"""SVHN: 32 x 32 colour images of house numbers' digits."""

from __future__ import annotations

import torch

from circuitsim.data.fileset import FileSet, Mirrors
from circuitsim.data.pixels import channel_first
from circuitsim.data.source import Request, Source

N_CLASSES = 10
VALIDATION = 0.1


def load_svhn(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Cropped digits in street views, 3072 pixels from 0 to 1, 73257 and 26032 images; class 0 is the digit 0.

    Source: Netzer et al. (2011), Reading digits in natural images with unsupervised feature learning; read by
    torchvision, without the 531131 "extra" images.
    """
    from torchvision import datasets  # here because it takes a second to import

    published = [datasets.SVHN.split_list[part] for part in ("train", "test")]
    files = FileSet(
        "svhn",
        "SVHN",
        {name: md5 for _, name, md5 in published},
        [url.removesuffix(name) for url, name, _ in published[:1]],
    )
    folder = files.obtain_verified(request, mirrors)
    (x, y), test = (
        (channel_first(part.data), torch.from_numpy(part.labels))
        for part in (datasets.SVHN(folder, split="train"), datasets.SVHN(folder, split="test"))
    )
    return Source(x, y, test, n_outputs=N_CLASSES, n_channels=3, validation=VALIDATION)
