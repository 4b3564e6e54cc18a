"""PathMNIST: 28 x 28 colour images of nine kinds of tissue."""

from __future__ import annotations

from circuitsim.data.fileset import Mirrors
from circuitsim.data.npz import load_npz
from circuitsim.data.source import Request, Source


def load_pathmnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Stained slides of colorectal tissue: 2352 pixels from 0 to 1, 89996, 10004 and 7180 images.

    Source: Kather et al. (2019), Predicting survival from colorectal cancer histology slides using deep learning;
    Yang et al. (2023), MedMNIST v2, with its official splits, of which test is from another clinic; read by medmnist.
    """
    return load_npz("pathmnist", request, mirrors)
