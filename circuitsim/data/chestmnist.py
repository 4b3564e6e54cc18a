"""ChestMNIST: 28 x 28 grey chest X-rays with 14 labels each."""

from __future__ import annotations

from circuitsim.data.fileset import Mirrors
from circuitsim.data.npz import load_npz
from circuitsim.data.source import Request, Source


def load_chestmnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Which of 14 diseases each X-ray shows, if any: 784 pixels from 0 to 1, 78468, 11219 and 22433 images.

    Source: Wang et al. (2017), ChestX-ray8; Yang et al. (2023), MedMNIST v2, with its official splits; read by
    medmnist.
    """
    return load_npz("chestmnist", request, mirrors)
