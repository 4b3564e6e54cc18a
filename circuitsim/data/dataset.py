"""A data set consists of training samples and, optionally, validation and test samples."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from circuitsim.data.agreement import check_agreement, check_rows, count_outputs, match_columns
from circuitsim.data.arrays import Kinds, infer_kinds, read_inputs, read_targets
from circuitsim.data.split import Split, hold_out, standardized
from circuitsim.errors import DataError, ParameterError
from circuitsim.whole import check_flags, whole


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training samples, with optional validation and test samples.

    Attributes:
        name: the name for tables and plots.
        train: the samples for learning.
        validation: the samples for choosing hyperparameters, or None.
        test: the samples for reporting results, or None.
        kind: "classes", "labels" or "values"; a dict keyed by objective if the targets are a dict.
        n_outputs: the number of classes, labels or values; a dict keyed by objective if the targets are a dict.
        classes: the names of the classes in the order of their indices, or None if they have no names.
    """

    name: str
    train: Split
    validation: Split | None
    test: Split | None
    kind: Kinds
    n_outputs: int | dict[str, int]
    classes: tuple[str, ...] | None = None

    @property
    def n_features(self) -> int | dict[str, int]:
        """The number of input features; a dict keyed by input population if the inputs are a dict."""
        x = self.train.x
        return {name: tensor.shape[-1] for name, tensor in x.items()} if isinstance(x, dict) else x.shape[-1]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that are not None, by name: "train", "validation", "test"."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in found.items() if split is not None}

    def standardized(self, n_channels: int = 1) -> Dataset:
        """Scale each channel of the inputs to mean 0 and standard deviation 1 over the training samples.

        Args:
            n_channels: the number of channels, which have equal numbers of features, one channel after the other: 1 for
                a global mean and deviation, or the number of features for one per feature.
        Returns:
            A data set with the same targets. A channel that is constant in the training samples is only centred.
        Raises:
            DataError: there are several inputs, or the features do not divide into `n_channels`.
        Example:
            >>> import circuitsim as cs
            >>> data = cs.Dataset.from_arrays([[1.0, 0.0], [3.0, 0.0]], [0, 1]).standardized(n_channels=2)
            >>> data.train.x.tolist()
            [[-1.0, 0.0], [1.0, 0.0]]
        """
        if not isinstance(self.train.x, torch.Tensor):
            raise DataError(f"data set {self.name!r} has several inputs {list(self.train.x)}: scale them one by one")
        n, n_channels = self.train.x.shape[-1], whole("n_channels", n_channels, least=1)
        if n % n_channels:
            raise DataError(f"data set {self.name!r}: {n} features do not divide into {n_channels} channels")
        scaled: dict[str, Any] = standardized(self.splits, n_channels)
        return replace(self, **scaled)

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
        n_outputs: int | Mapping[str, int] | None = None,
        name: str = "arrays",
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        sequences: bool = False,
    ) -> Dataset:
        """Build a data set from arrays, which are copied.

        Arrays may be of NumPy, torch, SciPy (sparse) or pandas, or nested lists. The row labels of pandas objects must
        agree between x and y. The columns of frames are brought into the order of the training split, which must be
        that of the input neurons.

        Args:
            x: an array of shape ``[sample, ...]``, which is flattened to ``[sample, feature]``; or a mapping of input
                populations to such arrays.
            y: integers ``[sample]`` (classes, from 0), 0/1 integers or bool ``[sample, label]``, or floats
                ``[sample, value]``; or a mapping of objectives to such arrays.
            validation: a pair (x, y), or the fraction of the training samples to hold out, between 0 and 1. Held-out
                samples keep the proportions of the classes if `y` holds classes.
            test: a pair (x, y), or None.
            kind: "classes", "labels" or "values", to override the kind inferred from `y`; a mapping if `y` is one.
            n_outputs: the number of classes, if the training labels lack some of them; a mapping if `y` is one.
            name: the name for tables and plots.
            seed: the seed for choosing the samples to hold out.
            dtype: the floating type of inputs, labels and values.
            sequences: whether the second axis of x is time, for circuits with phases over time: x is ``[sample, time,
                ...]``, where inputs that stay the same remain ``[sample, feature]``. Targets hold for all time steps,
                or are integers ``[sample, time]`` (classes) or arrays ``[sample, time, output]``.
        Returns:
            The data set, with inputs of shape ``[sample, feature]`` or ``[sample, time, feature]``.
        Raises:
            DataError: an array is empty, not numeric, not finite or of a different length than its partner, a label
                is out of range, a class has no training sample and `n_outputs` is not given, or splits differ in
                features or outputs. An `UnscaledInputWarning` says so if x looks like pixels from 0 to 255.
            ParameterError: an argument other than an array is invalid.
        Example:
            >>> import numpy as np
            >>> import circuitsim as cs
            >>> x, y = np.random.default_rng(0).normal(size=(100, 8)), np.arange(100) % 3
            >>> cs.Dataset.from_arrays(x, y, validation=0.2)
            Dataset('arrays', kind='classes', n_features=8, n_outputs=3, train=80, validation=20)
        """
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise ParameterError(f"dtype must be a floating type such as torch.float32 (got {dtype})")
        check_flags(sequences=sequences)
        seed = whole("seed", seed, least=0)
        fraction = _fraction("validation", validation, ", a pair (x, y)")
        pairs = {"train": (x, y), "validation": None if fraction else validation, "test": test}
        kinds = infer_kinds(y, kind, "y", sequences)
        given = {part: pair for part, pair in pairs.items() if pair is not None}
        splits = {part: read_split(part, pair, (x, y), kinds, dtype, sequences) for part, pair in given.items()}
        train = splits["train"]
        outputs = count_outputs(train, n_outputs)
        for part, split in splits.items():
            check_agreement(part, split, train, outputs)
        if fraction:
            y = train.target
            classes = y if kinds == "classes" and isinstance(y, torch.Tensor) and y.ndim == 1 else None
            kept, held = hold_out(len(train), round(fraction * len(train)), classes=classes, seed=seed)
            splits |= {"train": train.take(kept), "validation": train.take(held)}
        return cls(name, splits["train"], splits.get("validation"), splits.get("test"), kinds, outputs)

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        size: tuple[int, int] | None = None,
        channels: int | None = None,
        validation: float | None = None,
        test: float | None = None,
        standardize: bool = True,
        name: str | None = None,
        seed: int = 0,
    ) -> Dataset:
        """Read a folder of images, with one folder per class.

        The folder holds the folders of the classes, in which images may lie at any depth; or it holds a folder "train"
        of this form, and possibly "val" and "test". Classes are numbered in the order of their names. All images must
        have the same size and number of channels, unless they are scaled or converted. Hidden files are ignored.

        Args:
            folder: the folder.
            size: (rows, columns) to which images are scaled, or None.
            channels: 1 to convert the images to grey, 3 to colour, or None.
            validation, test: the fractions of the images to hold out, where the folder has no such split. Held-out
                images keep the proportions of the classes.
            standardize: whether to scale each channel to mean 0 and standard deviation 1 over the training split;
                otherwise pixels range from 0 to 1.
            name: the name for tables and plots; by default the folder's.
            seed: the seed for choosing the images to hold out.
        Returns:
            The data set, with inputs ``[sample, feature]`` that are ordered channel by channel, and `classes`.
        Raises:
            DataError: the folder is missing or has another form, a file is not an image or is damaged, images differ in
                size or channels, or a split has a class that the training split lacks.
            ParameterError: an argument is out of range, or a fraction is given for a split that the folder has.
        Example:
            >>> import tempfile, pathlib, numpy as np
            >>> import circuitsim as cs
            >>> from PIL import Image
            >>> folder = pathlib.Path(tempfile.mkdtemp())
            >>> for k in range(20):
            ...     (folder / f"class {k % 2}").mkdir(exist_ok=True)
            ...     Image.fromarray(np.full((8, 8), 10 * k, np.uint8)).save(folder / f"class {k % 2}" / f"{k}.png")
            >>> data = cs.Dataset.from_folder(folder, name="mine", test=0.2)
            >>> data, data.classes
            (Dataset('mine', kind='classes', n_features=64, n_outputs=2, train=16, test=4), ('class 0', 'class 1'))
        """
        from circuitsim.data.image_folder import read_image_folder

        path, seed = Path(folder).expanduser(), whole("seed", seed, least=0)
        fractions = {"validation": _fraction("validation", validation), "test": _fraction("test", test)}
        if (both := sum(fraction or 0.0 for fraction in fractions.values())) >= 1:
            raise ParameterError(
                f"validation and test must leave images to learn from (got {validation} and {test}, {both:g} together)"
            )
        splits, classes, n_channels = read_image_folder(path, size, channels)
        for part, fraction in fractions.items():
            if fraction is not None and part in splits:
                raise ParameterError(f"{part} must be None, because {path} holds a {part} split (got {fraction})")
        x, y = splits["train"]
        if fractions["test"] is not None:
            kept, held = hold_out(len(x), round(fractions["test"] * len(x)), classes=y, seed=seed)
            splits["test"], x, y = (x[held], y[held]), x[kept], y[kept]
            if fractions["validation"] is not None:  # of all images, not of those that are left
                fractions["validation"] /= 1 - fractions["test"]
        data = cls.from_arrays(
            x, y, validation=splits.get("validation", fractions["validation"]), test=splits.get("test"),
            n_outputs=len(classes), name=name or path.resolve().name, seed=seed,
        )  # fmt: skip
        data = replace(data, classes=classes)
        return data.standardized(n_channels) if standardize else data


def _fraction(name: str, value: Any, otherwise: str = "") -> float | None:
    """Return the value if it is a fraction, otherwise None."""
    if value is None or (otherwise and not isinstance(value, numbers.Real)):
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < float(value) < 1:
        raise ParameterError(f"{name} must be between 0 and 1{otherwise} or None (got {value!r})")
    return float(value)


def read_split(
    part: str, pair: Any, train: tuple[Any, Any], kinds: Kinds, dtype: torch.dtype, sequences: bool = False
) -> Split:
    """Convert a pair (x, y) of arrays, or of mappings of arrays, to a split.

    The arrays of `train` settle the order of columns that have labels, and the kinds of targets. With `sequences`, the
    second axis of arrays may be time.
    """
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ParameterError(f"{part} must be a pair (x, y) (got a {type(pair).__name__})")
    lead = "" if part == "train" else f"{part} "
    x, y = pair
    check_rows(x, y, part)
    inputs = read_inputs(match_columns(x, train[0], f"{lead}x"), f"{lead}x", dtype, sequences)
    target = read_targets(match_columns(y, train[1], f"{lead}y"), kinds, f"{lead}y", dtype, sequences)
    try:
        return Split(inputs, target)
    except DataError as fault:
        raise DataError(f"{part}: {fault}") from None
