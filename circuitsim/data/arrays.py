"""Checks and conversion of the arrays that users pass (NumPy, torch, SciPy, pandas or nested lists)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.data.split import Tensors
from circuitsim.errors import DataError, warn_of_pixels
from circuitsim.motif.arrays import as_samples


def as_numpy(value: Any, name: str) -> np.ndarray[Any, Any]:
    """Return a NumPy view or copy of `value`, which must have an axis and finite bool, integer or floating entries."""
    array = as_samples(value, name)
    if array.ndim == 0:
        raise DataError(f"{name} is a single number ({array}); its first axis must count the samples")
    if array.size == 0:
        raise DataError(f"{name} is empty (shape {array.shape}); give at least one sample and one feature")
    check_finite(array, name)
    return array


def check_finite(array: np.ndarray[Any, Any], name: str) -> None:
    """Raise DataError with the number of NaN and infinite entries and the index of the first one, if any."""
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        place = tuple(int(i) for i in bad[0])
        raise DataError(
            f"{name} holds {len(bad)} NaN or infinite values, the first ({array[place]}) at index {place}: "
            "drop or fill them first"
        )


def index_at(flat: int, shape: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return the index of an entry whose number in memory order is known; a single number along one axis."""
    index = tuple(int(i) for i in np.unravel_index(flat, shape))
    return index if len(index) > 1 else index[0]


def as_floats(array: np.ndarray[Any, Any], name: str, dtype: torch.dtype, sequences: bool = False) -> Tensor:
    """Return a floating copy ``[sample, feature]`` with all trailing axes flattened; with `sequences`, one of three or
    more axes as ``[sample, time, feature]``. Values that overflow `dtype` are refused.
    """
    # this also converts byte orders that torch does not support
    native = np.float64 if dtype == torch.float64 else np.float32
    with np.errstate(over="ignore"):  # overflow is reported below
        kept = array.shape[:2] if sequences and array.ndim > 2 else array.shape[:1]
        tensor = torch.from_numpy(array.reshape(*kept, -1).astype(native)).to(dtype)
    if not torch.isfinite(tensor).all():
        largest = np.abs(array.astype(float)).max()
        raise DataError(f"{name} reaches {largest:.3g}, too large for {dtype}: rescale it")
    return tensor


def read_inputs(x: Any, name: str, dtype: torch.dtype, sequences: bool = False) -> Tensors:
    """Convert inputs to floating tensors as `as_floats` does; a mapping of arrays becomes a dict of tensors.

    An `UnscaledInputWarning` says so if they look like pixels.
    """
    if isinstance(x, Mapping):
        return {key: _read(value, f"{name}[{key!r}]", dtype, sequences) for key, value in x.items()}
    return _read(x, name, dtype, sequences)


def _read(x: Any, name: str, dtype: torch.dtype, sequences: bool) -> Tensor:
    array = as_numpy(x, name)
    if array.min() >= 0:
        warn_of_pixels(name, array.max(), array.dtype == np.uint8)
    return as_floats(array, name, dtype, sequences)
