"""A data set: up to three splits that fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from circuitsim.data.agreement import check_agreement, count_outputs
from circuitsim.data.arrays import read_inputs
from circuitsim.data.holdout import hold_out
from circuitsim.data.split import Split
from circuitsim.data.targets import Kinds, infer_kinds, read_targets
from circuitsim.data.whole import whole
from circuitsim.errors import DataError, ParameterError


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training samples, with samples held out for validation and test where there are any.

    Attributes:
        name: what to call it in tables and plots.
        train: the samples to learn from.
        validation: samples to choose settings with, or None.
        test: samples to report on, or None.
        kind: "classes", "labels" or "values"; a dict objective -> kind where targets are a dict.
        n_outputs: number of classes, labels or values; a dict where targets are a dict.
    """

    name: str
    train: Split
    validation: Split | None
    test: Split | None
    kind: Kinds
    n_outputs: int | dict[str, int]

    @property
    def n_features(self) -> int | dict[str, int]:
        """Number of input features; a dict input population -> number where inputs are a dict."""
        x = self.train.x
        return {name: tensor.shape[1] for name, tensor in x.items()} if isinstance(x, dict) else x.shape[1]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that there are, by name, "train", "validation", "test"."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in found.items() if split is not None}

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={len(split)}" for name, split in self.splits.items())
        outline = f"kind={self.kind!r}, n_features={self.n_features}, n_outputs={self.n_outputs}"
        return f"Dataset({self.name!r}, {outline}, {sizes})"

    @classmethod
    def from_arrays(
        cls,
        x: Any,
        y: Any,
        *,
        validation: float | tuple[Any, Any] | None = None,
        test: tuple[Any, Any] | None = None,
        kind: Any = None,
        n_outputs: int | None = None,
        name: str = "arrays",
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> Dataset:
        """A data set from arrays (NumPy, torch, pandas or nested lists), which are copied.

        Args:
            x: shape ``[sample, ...]``, flattened to ``[sample, feature]``; or a mapping of such arrays.
            y: integers ``[sample]`` (classes, from 0), 0/1 integers or bool ``[sample, label]``, or floats
                ``[sample, value]``; or a mapping objective -> such an array.
            validation: a pair (x, y); or the fraction of the samples to hold out of training, between 0 and 1,
                in the proportions of the classes where `y` holds classes.
            test: a pair (x, y).
            kind: "classes", "labels" or "values" in place of what `y` suggests; a mapping where `y` is one.
            n_outputs: number of classes, where the training labels do not hold them all.
            name: what to call it in tables and plots.
            seed: draws the fraction.
            dtype: floating type of inputs, labels and values.
        Returns:
            The data set; inputs ``[sample, feature]``.
        Raises:
            DataError: an array is empty, not numeric, not finite or of another length than its partner, a label
                is out of range, or splits differ in features or outputs.
            ParameterError: an argument other than an array is not as said above.
        Example:
            >>> import numpy as np
            >>> import circuitsim as cs
            >>> x, y = np.random.default_rng(0).normal(size=(100, 8)), np.arange(100) % 3
            >>> cs.Dataset.from_arrays(x, y, validation=0.2)
            Dataset('arrays', kind='classes', n_features=8, n_outputs=3, train=80, validation=20)
        """
        if not dtype.is_floating_point:
            raise ParameterError(f"dtype must be a floating type such as torch.float32 (got {dtype})")
        seed = whole("seed", seed, least=0)
        fraction = _fraction(validation)
        pairs = {"train": (x, y), "validation": None if fraction else validation, "test": test}
        kinds = infer_kinds(y, kind, "y")
        splits = {part: _read(part, pair, kinds, dtype) for part, pair in pairs.items() if pair is not None}
        train = splits["train"]
        outputs = count_outputs(train, n_outputs)
        for part, split in splits.items():
            check_agreement(part, split, train, outputs)
        if fraction:
            classes = train.target if kinds == "classes" and isinstance(train.target, torch.Tensor) else None
            kept, held = hold_out(len(train), round(fraction * len(train)), classes=classes, seed=seed)
            splits |= {"train": train.take(kept), "validation": train.take(held)}
        return cls(name, splits["train"], splits.get("validation"), splits.get("test"), kinds, outputs)


def _fraction(validation: Any) -> float | None:
    """The fraction, or None where `validation` is something else."""
    if not isinstance(validation, (int, float)):
        return None
    if not 0 < validation < 1:
        raise ParameterError(f"validation must be between 0 and 1, a pair (x, y) or None (got {validation!r})")
    return float(validation)


def _read(part: str, pair: Any, kinds: Kinds, dtype: torch.dtype) -> Split:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ParameterError(f"{part} must be a pair (x, y) (got a {type(pair).__name__})")
    lead = "" if part == "train" else f"{part} "
    x = read_inputs(pair[0], f"{lead}x", dtype)
    target = read_targets(pair[1], kinds, f"{lead}y", dtype)
    try:
        return Split(x, target)
    except DataError as fault:
        raise DataError(f"{part}: {fault}") from None
