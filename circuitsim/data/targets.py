"""Checks and conversion of the targets that users pass (class indices, 0/1 labels or real values)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from circuitsim.data.arrays import as_floats, as_numpy, index_at
from circuitsim.errors import DataError, ParameterError

Kind = Literal["classes", "labels", "values"]
Kinds = Kind | dict[str, Kind]


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
    sequences they may also have a second axis, of time.
    """
    if isinstance(kinds, dict):
        if not isinstance(y, Mapping) or set(y) != set(kinds):
            found = sorted(y) if isinstance(y, Mapping) else type(y).__name__
            raise DataError(f"{name} must hold the objectives of the training targets, {sorted(kinds)} (got {found})")
        return {key: _read(y[key], kind, f"{name}[{key!r}]", dtype, sequences) for key, kind in kinds.items()}
    if isinstance(y, Mapping):
        raise DataError(f"{name} must be one array like the training targets (got a mapping with {sorted(y)})")
    return _read(y, kinds, name, dtype, sequences)


def _read(y: Any, kind: Kind, name: str, dtype: torch.dtype, sequences: bool) -> Tensor:
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
