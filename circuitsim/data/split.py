"""A split of a data set consists of inputs and their targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from circuitsim.errors import DataError, ParameterError

T = TypeVar("T")
Tensors = Tensor | dict[str, Tensor]


def each(tensors: Tensors, change: Callable[[Tensor], Tensor]) -> Tensors:
    """Apply `change` to a tensor, or to every tensor of a dict."""
    if isinstance(tensors, dict):
        return {name: change(tensor) for name, tensor in tensors.items()}
    return change(tensors)


def named(label: str, values: T | Mapping[str, T]) -> dict[str, T]:
    """Key values by their names in messages, "x", or "x['image']" for an entry of a mapping."""
    if isinstance(values, Mapping):
        return {f"{label}[{name!r}]": value for name, value in values.items()}
    return {label: values}


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Samples in memory.

    Args:
        x: inputs ``[sample, feature]`` or sequences ``[sample, time, feature]``, or a dict of input populations to such
            tensors.
        target: class indices int64 ``[sample]``, real vectors or 0/1 label vectors (both floating) ``[sample,
            output]``, of sequences also ``[sample, time]`` and ``[sample, time, output]``, or a dict of objectives to
            such tensors.

    Raises:
        DataError: there is no tensor or something else, a tensor lacks the sample axis, or lengths differ.
    """

    x: Tensors
    target: Tensors

    def __post_init__(self) -> None:
        tensors = named("x", self.x) | named("y", self.target)
        if any(isinstance(given, dict) and not given for given in (self.x, self.target)):
            raise DataError(f"a split needs inputs and targets (got {len(tensors)} tensors): an empty dict has none")
        for name, tensor in tensors.items():
            if not isinstance(tensor, Tensor):
                raise DataError(
                    f"{name} must be a tensor (got {type(tensor).__name__}); Dataset.from_arrays takes arrays"
                )
            if tensor.ndim == 0:
                raise DataError(f"{name} is a single number; its first axis must count the samples")
        lengths = {name: len(tensor) for name, tensor in tensors.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DataError(f"inputs and targets must have the same number of samples, but {found}")

    def __len__(self) -> int:
        return len(next(iter(named("y", self.target).values())))

    def __repr__(self) -> str:
        tensors = named("x", self.x) | named("target", self.target)
        return f"Split({', '.join(f'{name}: {list(tensor.shape)}' for name, tensor in tensors.items())})"

    @property
    def device(self) -> torch.device:
        """The device of the samples."""
        return next(iter(named("x", self.x).values())).device

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Split:
        """Return the samples on another device, or in another floating type.

        Args:
            device: the new device; None keeps the current one.
            dtype: the new type of floating tensors; class indices stay int64.
        Returns:
            A split of the same shapes.
        Raises:
            ParameterError: there is no such device, or the type is not a floating one.
        """
        if not (dtype is None or (isinstance(dtype, torch.dtype) and dtype.is_floating_point)):
            raise ParameterError(f"dtype must be a floating type such as torch.float32 (got {dtype})")
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, TypeError) as error:
            raise ParameterError(f"device {device!r} is not available: {str(error).splitlines()[0]}") from None

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

        return Split(each(self.x, move), each(self.target, move))

    def take(self, samples: Any) -> Split:
        """Return some of the samples.

        Args:
            samples: the indices of the samples, whole numbers ``[chosen]``.
        Returns:
            A split of these samples, in the given order.
        Raises:
            ParameterError: these are no indices of samples.
        """
        chosen = torch.as_tensor(samples)
        is_whole = not chosen.is_floating_point() and not chosen.is_complex() and chosen.dtype != torch.bool
        if chosen.ndim != 1 or not (is_whole or not len(chosen)):
            raise ParameterError(f"take needs a list of the indices of samples (got {samples!r})")
        chosen = chosen.long()
        if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(self):
            found = f"{int(chosen.min())} .. {int(chosen.max())}"
            raise ParameterError(f"take: indices of samples must be in 0 .. {len(self) - 1} (got {found})")
        return picked(self, chosen)


def picked(split: Split, samples: Tensor) -> Split:
    """Return samples of a split. Nothing is checked, which would wait for the device."""

    def pick(tensor: Tensor) -> Tensor:
        return tensor.index_select(0, samples.to(tensor.device))

    return Split(each(split.x, pick), each(split.target, pick))
