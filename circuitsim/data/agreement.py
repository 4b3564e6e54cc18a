"""Checks that the splits of a data set agree: labelled rows and columns, features and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from circuitsim.data.arrays import index_at
from circuitsim.data.split import Split, named
from circuitsim.errors import DataError, ParameterError
from circuitsim.motif.arrays import is_frame
from circuitsim.whole import whole


def check_rows(x: Any, y: Any, part: str) -> None:
    """Check that the labelled arrays of one split, or of mappings, have the same row labels in the same order."""
    given = [(name, v.index.tolist()) for name, v in (named("x", x) | named("y", y)).items() if hasattr(v, "iloc")]
    for name, labels in given[1:]:
        first, expected = given[0]
        if len(labels) == len(expected) and labels != expected:
            k = next(k for k, (a, b) in enumerate(zip(labels, expected, strict=True)) if a != b)
            raise DataError(
                f"{part}: the rows of {name} and {first} have different labels, at row {k} for example ({labels[k]!r} "
                f"and {expected[k]!r}): match them with {name}.loc[{first}.index], or pass {name}.to_numpy() if they "
                "match already, row by row"
            )


def match_columns(values: Any, like: Any, name: str) -> Any:
    """Return the values with the columns of each frame in the order of `like`, that of the training split.

    A frame with other columns is refused, in a message that begins with `name`.
    """
    if isinstance(values, Mapping) and isinstance(like, Mapping):
        return {key: match_columns(v, like.get(key), f"{name}[{key!r}]") for key, v in values.items()}
    if not is_frame(values) or not is_frame(like):
        return values
    found, expected = list(values.columns), list(like.columns)
    if found == expected or len(found) != len(expected):
        return values  # another number of columns is refused elsewhere
    missing = list((Counter(expected) - Counter(found)).elements())
    if missing and any(columns == list(range(len(columns))) for columns in (found, expected)):
        return values  # columns without names match by position
    if missing:
        raise DataError(
            f"{name} lacks {len(missing)} columns of the training split, the first is {missing[0]!r} (it has "
            f"{found[0]!r}, ...): rename its columns, or pass {name}.to_numpy() if they match by position"
        )
    if len(set(found)) < len(found):
        raise DataError(
            f"{name} has the columns of the training split in another order, but several have the same label: rename "
            f"them, or pass {name}.to_numpy() if they match by position"
        )
    return values[expected]


def count_outputs(train: Split, n_outputs: Any) -> int | dict[str, int]:
    """Count the classes, labels or values of the training targets; `n_outputs` may add classes that they lack."""
    target = train.target
    if not isinstance(target, dict):
        return _count("y", target, n_outputs, "n_outputs")
    if not isinstance(n_outputs, Mapping | None):
        raise ParameterError(f"n_outputs must be a mapping where y is a mapping (got {n_outputs!r})")
    given = n_outputs or {}
    if unknown := sorted(set(given) - set(target)):
        raise ParameterError(f"n_outputs names {unknown}, which y does not hold (it holds {sorted(target)})")
    return {
        name: _count(f"y[{name!r}]", tensor, given.get(name), f"n_outputs[{name!r}]") for name, tensor in target.items()
    }


def _count(name: str, target: Tensor, n_outputs: Any, option: str) -> int:
    if n_outputs is None:
        return width(target) if target.is_floating_point() else _count_classes(name, target)
    if target.is_floating_point() and n_outputs != width(target):
        raise ParameterError(f"{option} is {n_outputs!r}, but {name} has {width(target)} columns")
    return whole(option, n_outputs, least=1)


def _count_classes(name: str, classes: Tensor) -> int:
    """Count classes that all have a sample, since an output without samples is most often a mistake in the labels."""
    present, n = torch.unique(classes), width(classes)
    if len(present) == n:
        return n
    if int(present[0]) == 1 and len(present) == n - 1:
        raise DataError(
            f"{name} holds the classes 1 to {n - 1}, but classes count from 0: pass {name} - 1, or n_outputs={n} if "
            "class 0 exists and has no training sample"
        )
    largest = index_at(int(classes.argmax()), classes.shape)
    first = int((present != torch.arange(len(present))).int().argmax())
    raise DataError(
        f"{name} holds class {n - 1:,} at index {largest}, but only {len(present)} different classes "
        f"({n - len(present):,} have no sample, the first is class {first}): correct the label, number the classes "
        f"anew with np.unique({name}, return_inverse=True)[1], or pass n_outputs={n} if all of these classes exist"
    )


def width(target: Tensor) -> int:
    """The number of outputs that targets need."""
    return target.shape[-1] if target.is_floating_point() else int(target.max()) + 1


def check_agreement(label: str, split: Split, train: Split, n_outputs: int | dict[str, int]) -> None:
    """Raise DataError if the features of `split` differ from those of `train`, or if its outputs are out of range."""
    inputs, known = named("x", split.x), named("x", train.x)
    if inputs.keys() != known.keys():
        raise DataError(f"{label} has inputs {sorted(inputs)}, but the training split has {sorted(known)}")
    for name, x in inputs.items():
        if x.shape[-1] != known[name].shape[-1]:
            raise DataError(
                f"{label} {name} has {x.shape[-1]} features per sample, but the training split has "
                f"{known[name].shape[-1]}: give every split the same features"
            )
    if isinstance(split.target, dict) and isinstance(n_outputs, dict):
        for name, target in split.target.items():
            _check_width(f"{label} y[{name!r}]", target, n_outputs[name])
    elif isinstance(split.target, Tensor) and isinstance(n_outputs, int):
        _check_width(f"{label} y", split.target, n_outputs)


def _check_width(name: str, target: Tensor, n_outputs: int) -> None:
    if target.is_floating_point() and target.shape[-1] != n_outputs:
        raise DataError(f"{name} has {target.shape[-1]} columns, but the training split has {n_outputs}")
    if not target.is_floating_point() and int(target.max()) >= n_outputs:
        first = index_at(int((target >= n_outputs).int().argmax()), target.shape)
        raise DataError(
            f"{name} holds class {int(target[first])} at index {first}, but the classes are 0 to {n_outputs - 1}: "
            "correct the label, or pass n_outputs if the training labels lack some classes"
        )
