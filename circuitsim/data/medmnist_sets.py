"""The biomedical image sets of MedMNIST, with their official training, validation and test splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from circuitsim.data.published_files import Mirrors, PublishedFiles
from circuitsim.data.source import Request, Source, samples_of_images

# The names are repeated here because importing medmnist takes seconds.
NAMES = (
    "adrenalmnist3d", "bloodmnist", "breastmnist", "chestmnist", "dermamnist", "fracturemnist3d", "nodulemnist3d",
    "octmnist", "organamnist", "organcmnist", "organmnist3d", "organsmnist", "pathmnist", "pneumoniamnist",
    "retinamnist", "synapsemnist3d", "tissuemnist", "vesselmnist3d",
)  # fmt: skip


def load_medmnist(name: str, request: Request, *, mirrors: Mirrors = None) -> Source:
    """Load one of MedMNIST's sets in its smallest size, with 28 x 28 pixels or 28 x 28 x 28 voxels.

    Source: Yang et al. (2023), MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image
    classification.
    """
    import medmnist

    info = medmnist.INFO[name]
    file = f"{name}.npz"
    files = PublishedFiles(
        name,
        info["python_class"],
        {file: info["MD5"]},
        [info["url"].partition(file)[0]],
        system=[Path.home() / ".medmnist"],  # medmnist's own download folder
    )
    folder = files.obtain(request, mirrors)
    reader = getattr(medmnist, info["python_class"])
    train, validation, test = (_read(reader(split=part, root=folder)) for part in ("train", "val", "test"))
    return Source(*train, test, n_outputs=len(info["label"]), n_channels=info["n_channels"], validation=validation)


def _read(part: Any) -> tuple[Tensor, Tensor]:
    images = part.imgs[:, None] if part.info["n_channels"] == 1 else np.moveaxis(part.imgs, 3, 1)
    # a single column holds classes, several columns hold labels
    labels = part.labels[:, 0] if part.labels.shape[1] == 1 else part.labels
    return samples_of_images(images, labels)
