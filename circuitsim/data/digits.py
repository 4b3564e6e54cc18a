"""The data set of 8 x 8 handwritten digits that comes with scikit-learn."""

from __future__ import annotations

import torch

from circuitsim.data.holdout import hold_out
from circuitsim.data.source import Request, Source

N_TEST = 270
N_VALIDATION = 270


def load_digits(request: Request) -> Source:
    """Load 1797 images of 64 pixels from 0 to 1 in ten classes, with 270 held out for test and 270 for validation.

    Source: the test set of Alpaydin & Kaynak's Optical Recognition of Handwritten Digits (UCI, 1998).
    """
    from sklearn import datasets  # late: it takes a second to import

    pixels, digits = datasets.load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16.0, dtype=torch.float32)
    y = torch.tensor(digits, dtype=torch.int64)
    kept, held = hold_out(len(y), N_TEST, classes=y, seed=request.seed)
    return Source(x[kept], y[kept], (x[held], y[held]), n_outputs=10, n_channels=1, validation=N_VALIDATION / len(kept))
