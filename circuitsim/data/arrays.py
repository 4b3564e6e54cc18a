"""Checks and conversion of the inputs and targets that users pass (NumPy, torch, SciPy, pandas or nested lists)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from circuitsim.data.split import Tensors
from circuitsim.errors import DataError, ParameterError, warn_of_pixels
from circuitsim.motif.arrays import as_samples

Kind = Literal["classes", "labels", "values"]
Kinds = Kind | dict[str, Kind]


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
    more axes as ``[sample, time, feature]``. Values that overflow `dtype` are refused."""
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
        return {key: _read_input(value, f"{name}[{key!r}]", dtype, sequences) for key, value in x.items()}
    return _read_input(x, name, dtype, sequences)


def _read_input(x: Any, name: str, dtype: torch.dtype, sequences: bool) -> Tensor:
    array = as_numpy(x, name)
    if array.min() >= 0:
        warn_of_pixels(name, array.max(), array.dtype == np.uint8)
    return as_floats(array, name, dtype, sequences)


def infer_kinds(y: Any, kind: Any, name: str, sequences: bool = False) -> Kinds:
    """Infer the kind of `y`, or of each entry of a mapping; `kind` takes precedence where it is given."""
    if not isinstance(y, Mapping):
        return _infer(y, kind, name, sequences)
    wanted = kind if isinstance(kind, Mapping) else dict.fromkeys(y, kind)
    unknown = sorted(set(wanted) - set(y))
    if unknown:
        raise ParameterError(f"kind names {unknown}, which {name} does not hold (it holds {sorted(y)})")
    return {key: _infer(value, wanted.get(key), f"{name}[{key!r}]", sequences) for key, value in y.items()}


def _infer(y: Any, kind: Any, name: str, sequences: bool) -> Kind:
    array = as_numpy(y, name)
    if kind is not None:
        for known in get_args(Kind):
            if kind == known:
                return known
        raise ParameterError(f"kind must be one of {', '.join(get_args(Kind))} (got {kind!r})")
    if array.dtype.kind in "biu" and (array.ndim == 1 or (array.ndim == 2 and sequences and array.dtype.kind != "b")):
        return "classes"
    if array.ndim == 1:
        raise DataError(
            f"{name} is 1-D of dtype {array.dtype}: for class labels pass integers ({name}.astype(int)), "
            'for one real value per sample pass kind="values"'
        )
    return "values" if array.dtype.kind == "f" else "labels"


def read_targets(
    y: Any, kinds: Kinds, name: str, dtype: torch.dtype, sequences: bool = False
) -> Tensor | dict[str, Tensor]:
    """Convert targets to tensors, int64 ``[sample]`` for classes and floating ``[sample, output]`` otherwise; of
    sequences they may also have a second axis, of time."""
    if isinstance(kinds, dict):
        if not isinstance(y, Mapping) or set(y) != set(kinds):
            found = sorted(y) if isinstance(y, Mapping) else type(y).__name__
            raise DataError(f"{name} must hold the objectives of the training targets, {sorted(kinds)} (got {found})")
        return {key: _read_target(y[key], kind, f"{name}[{key!r}]", dtype, sequences) for key, kind in kinds.items()}
    if isinstance(y, Mapping):
        raise DataError(f"{name} must be one array like the training targets (got a mapping with {sorted(y)})")
    return _read_target(y, kinds, name, dtype, sequences)


def _read_target(y: Any, kind: Kind, name: str, dtype: torch.dtype, sequences: bool) -> Tensor:
    array = as_numpy(y, name)
    if kind == "classes":
        return _read_classes(array, name, sequences)
    if array.ndim > 2 + sequences:
        wanted = "[sample, output] or [sample, time, output]" if sequences else "[sample, output]"
        raise DataError(f"{name} has shape {array.shape}; {kind} must be {wanted}")
    if kind == "labels" and not np.isin(array, (0, 1)).all():
        raise DataError(
            f"{name} holds {array[~np.isin(array, (0, 1))][0]}, but labels are 0 or 1: "
            f"for one class per sample pass a 1-D {name}, for real values pass floating numbers"
        )
    return as_floats(array, name, dtype, sequences)


def _read_classes(array: np.ndarray[Any, Any], name: str, sequences: bool) -> Tensor:
    if array.dtype.kind == "f":
        raise DataError(f"{name} has dtype {array.dtype}; class labels must be integers ({name}.astype(int))")
    if array.ndim != 1 and not (sequences and array.ndim == 2):
        raise DataError(
            f"{name} has shape {array.shape}; class labels must be 1-D, one integer per sample: for one-hot vectors "
            f"pass {name}.argmax(1)"
        )
    if array.min() < 0:
        first = index_at(int(np.argmax(array < 0)), array.shape)
        raise DataError(f"{name} holds class {array[first]} at index {first}; classes must count from 0")
    if array.max() > np.iinfo(np.int64).max:
        first = index_at(int(np.argmax(array)), array.shape)
        raise DataError(f"{name} holds class {array[first]:,} at index {first}, which is too large: correct the label")
    return torch.tensor(array.astype(np.int64))
