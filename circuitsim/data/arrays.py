"""Arrays that users have, checked: NumPy, torch, pandas or nested lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.data.split import Tensors
from circuitsim.errors import DataError


def as_numpy(value: Any, name: str) -> np.ndarray[Any, Any]:
    """A NumPy view or copy of `value`, of bool, integer or floating type, finite and not empty.

    Raises:
        DataError: text, objects, ragged lists, a single number, an empty array, NaN or infinity.
    """
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError as fault:
        raise DataError(f"{name} is not a rectangular array ({fault}): give every sample the same shape") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} has dtype {array.dtype}; convert it to numbers (float32 values, int64 classes)")
    if array.ndim == 0:
        raise DataError(f"{name} is a single number ({array}); its first axis must count the samples")
    if array.size == 0:
        raise DataError(f"{name} is empty (shape {array.shape}); give at least one sample and one feature")
    check_finite(array, name)
    return array


def check_finite(array: np.ndarray[Any, Any], name: str) -> None:
    """Raise DataError that counts the NaN and infinite entries and names the first one's index."""
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        place = tuple(int(i) for i in bad[0])
        raise DataError(
            f"{name} holds {len(bad)} NaN or infinite values, the first ({array[place]}) at index {place}: "
            "drop or fill them first"
        )


def as_floats(array: np.ndarray[Any, Any], name: str, dtype: torch.dtype) -> Tensor:
    """A floating copy ``[sample, feature]`` with all trailing axes flattened.

    Raises:
        DataError: a value overflows `dtype`.
    """
    native = np.float64 if dtype == torch.float64 else np.float32  # also mends byte orders that torch refuses
    with np.errstate(over="ignore"):  # told below, by name
        tensor = torch.from_numpy(array.reshape(len(array), -1).astype(native)).to(dtype)
    if not torch.isfinite(tensor).all():
        largest = np.abs(array.astype(float)).max()
        raise DataError(f"{name} reaches {largest:.3g}, too large for {dtype}: rescale it")
    return tensor


def read_inputs(x: Any, name: str, dtype: torch.dtype) -> Tensors:
    """Inputs as floating tensors ``[sample, feature]``; a mapping of arrays gives a dict of them."""
    if isinstance(x, Mapping):
        return {key: as_floats(as_numpy(v, f"{name}[{key!r}]"), f"{name}[{key!r}]", dtype) for key, v in x.items()}
    return as_floats(as_numpy(x, name), name, dtype)
