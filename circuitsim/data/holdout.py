"""Which samples to hold out of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import DataError


def hold_out(n_samples: int, n_held: int, *, classes: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of the samples kept and held out, both ascending; the draw depends on `seed` alone.

    Args:
        n_samples, n_held: counts, dimensionless.
        classes: int64 ``[sample]``, to keep the proportions of the classes in both parts; None for a plain draw.

    Raises:
        DataError: a part would be empty, or a class is too rare to be in both parts.
    """
    from sklearn.model_selection import train_test_split  # here because it takes a second to import

    if not 0 < n_held < n_samples:
        raise DataError(f"cannot hold out {n_held} of {n_samples} samples: one part would be empty")
    strata: np.ndarray[Any, Any] | None = None if classes is None else classes.numpy()
    # a seeded generator, as scikit-learn itself refuses seeds beyond 32 bits
    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    try:
        kept, held = train_test_split(np.arange(n_samples), test_size=n_held, stratify=strata, random_state=state)
    except ValueError as fault:
        raise DataError(
            f"cannot hold out {n_held} of {n_samples} samples with every class in both parts ({fault}): "
            "hold out more, drop the rare classes, or pass the held-out arrays yourself"
        ) from None
    return torch.from_numpy(np.sort(kept)), torch.from_numpy(np.sort(held))
