"""STL-10: 96 x 96 colour images of ten classes."""

from __future__ import annotations

import torch

from circuitsim.data.fileset import FileSet, Mirrors
from circuitsim.data.pixels import channel_first
from circuitsim.data.source import Request, Source

N_CLASSES = 10
VALIDATION = 0.1


def load_stl10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Animals and vehicles, 27648 pixels from 0 to 1, 5000 and 8000 images.

    The 100000 unlabelled images, which are most of the archive, stay packed.

    Source: Coates, Ng & Lee (2011), An analysis of single-layer networks in unsupervised feature learning; read by
    torchvision.
    """
    from torchvision import datasets  # here because it takes a second to import

    theirs = datasets.STL10
    labelled = [(name, md5) for name, md5 in theirs.train_list if not name.startswith("unlabeled")]

    class Reader(datasets.STL10):
        base_folder = ""  # wherever they were found
        train_list = labelled  # the reader asks for all files of this list, whatever the split

    files = FileSet(
        "stl10",
        "STL10",
        dict(labelled + theirs.test_list),
        [theirs.url.removesuffix(theirs.filename)],
        inner=theirs.base_folder,
        archive=(theirs.filename, theirs.tgz_md5),
    )
    folder = files.obtain_verified(request, mirrors)
    (x, y), test = (
        (channel_first(part.data), torch.from_numpy(part.labels).long())
        for part in (Reader(folder, split="train"), Reader(folder, split="test"))
    )
    return Source(x, y, test, n_outputs=N_CLASSES, n_channels=3, validation=VALIDATION)
