"""The choice of samples to hold out of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import DataError


def hold_out(n_samples: int, n_held: int, *, classes: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
    """Return the indices of the kept and of the held-out samples, both ascending.

    Both parts preserve the proportions of the classes, int64 ``[sample]``, unless these are None.
    """
    from sklearn.model_selection import train_test_split  # late: it takes a second to import

    if not 0 < n_held < n_samples:
        raise DataError(f"cannot hold out {n_held} of {n_samples} samples: one part would be empty")
    strata: np.ndarray[Any, Any] | None = None if classes is None else classes.numpy()
    # a generator, because scikit-learn does not accept seeds beyond 32 bits
    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    try:
        kept, held = train_test_split(np.arange(n_samples), test_size=n_held, stratify=strata, random_state=state)
    except ValueError as fault:
        raise DataError(
            f"cannot hold out {n_held} of {n_samples} samples with every class in both parts ({fault}): "
            "hold out more, drop the rare classes, or pass the held-out arrays yourself"
        ) from None
    return torch.from_numpy(np.sort(kept)), torch.from_numpy(np.sort(held))
