"""Whether the splits of a data set fit each other."""

from __future__ import annotations

from torch import Tensor

from circuitsim.data.split import Split, named
from circuitsim.data.whole import whole
from circuitsim.errors import DataError, ParameterError


def count_outputs(train: Split, n_outputs: int | None) -> int | dict[str, int]:
    """How many classes, labels or values the training targets have; `n_outputs` may add classes that they lack.

    Raises:
        ParameterError: `n_outputs` contradicts the number of labels or values.
    """
    target = train.target
    if isinstance(target, dict):
        if n_outputs is not None:
            raise ParameterError(f"n_outputs must be None where y is a mapping (got {n_outputs!r})")
        return {name: _width(tensor) for name, tensor in target.items()}
    if n_outputs is None:
        return _width(target)
    if target.is_floating_point() and n_outputs != _width(target):
        raise ParameterError(f"n_outputs is {n_outputs!r}, but y has {_width(target)} columns")
    return whole("n_outputs", n_outputs, least=1)


def _width(target: Tensor) -> int:
    return target.shape[1] if target.is_floating_point() else int(target.max()) + 1


def check_agreement(label: str, split: Split, train: Split, n_outputs: int | dict[str, int]) -> None:
    """Raise DataError where `split` has other features than `train`, or outputs that do not exist.

    Args:
        label: what to call the split in a message.
        split: "train" itself, or another split.
        train: the split that decides.
        n_outputs: from `count_outputs`.
    """
    inputs, known = named("x", split.x), named("x", train.x)
    if inputs.keys() != known.keys():
        raise DataError(f"{label} has inputs {sorted(inputs)}, but the training split has {sorted(known)}")
    for name, x in inputs.items():
        if x.shape[1] != known[name].shape[1]:
            raise DataError(
                f"{label} {name} has {x.shape[1]} features per sample, but the training split has "
                f"{known[name].shape[1]}: give every split the same features"
            )
    if isinstance(split.target, dict) and isinstance(n_outputs, dict):
        for name, target in split.target.items():
            _check_width(f"{label} y[{name!r}]", target, n_outputs[name])
    elif isinstance(split.target, Tensor) and isinstance(n_outputs, int):
        _check_width(f"{label} y", split.target, n_outputs)


def _check_width(name: str, target: Tensor, n_outputs: int) -> None:
    if target.is_floating_point() and target.shape[1] != n_outputs:
        raise DataError(f"{name} has {target.shape[1]} columns, but the training split has {n_outputs}")
    if not target.is_floating_point() and int(target.max()) >= n_outputs:
        first = int((target >= n_outputs).int().argmax())
        raise DataError(
            f"{name} holds class {int(target[first])} at index {first}, but the classes are 0 to {n_outputs - 1}: "
            "mend the label, or pass n_outputs if the training labels lack some classes"
        )
