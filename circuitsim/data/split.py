"""One split of a data set: inputs and their targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from circuitsim.errors import DataError

Tensors = Tensor | dict[str, Tensor]


def each(tensors: Tensors, change: Callable[[Tensor], Tensor]) -> Tensors:
    """`change` applied to the tensor, or to every tensor of the dict."""
    if isinstance(tensors, dict):
        return {name: change(tensor) for name, tensor in tensors.items()}
    return change(tensors)


def named(label: str, tensors: Tensors) -> dict[str, Tensor]:
    """The tensors by the name that a message should use: "x", or "x['image']" for an entry of a dict."""
    if isinstance(tensors, dict):
        return {f"{label}[{name!r}]": tensor for name, tensor in tensors.items()}
    return {label: tensors}


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Samples in memory.

    Args:
        x: shape ``[sample, feature]``, or a dict input population -> such a tensor.
        target: class indices int64 ``[sample]``, real vectors or 0/1 label vectors (both floating)
            ``[sample, output]``, or a dict objective -> such a tensor.

    Raises:
        DataError: no tensor at all, a tensor without a sample axis, or lengths that differ.
    """

    x: Tensors
    target: Tensors

    def __post_init__(self) -> None:
        tensors = named("x", self.x) | named("y", self.target)
        if self.x == {} or self.target == {}:
            raise DataError(f"a split needs inputs and targets (got {len(tensors)} tensors): an empty dict has none")
        for name, tensor in tensors.items():
            if tensor.ndim == 0:
                raise DataError(f"{name} is a single number; its first axis must count the samples")
        lengths = {name: len(tensor) for name, tensor in tensors.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DataError(f"inputs and targets must have as many samples as each other: {found}")

    def __len__(self) -> int:
        return len(next(iter(named("y", self.target).values())))

    def __repr__(self) -> str:
        tensors = named("x", self.x) | named("target", self.target)
        return f"Split({', '.join(f'{name}: {list(tensor.shape)}' for name, tensor in tensors.items())})"

    @property
    def device(self) -> torch.device:
        """Where the samples lie."""
        return next(iter(named("x", self.x).values())).device

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Split:
        """The same samples elsewhere.

        Args:
            device: where to; None: where they are.
            dtype: of floating tensors; class indices stay int64.
        Returns:
            A split of the same shapes.
        """

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

        return Split(each(self.x, move), each(self.target, move))

    def take(self, samples: Tensor) -> Split:
        """Some of the samples.

        Args:
            samples: their indices, int64 ``[chosen]``.
        Returns:
            A split of these, in that order.
        """

        def pick(tensor: Tensor) -> Tensor:
            return tensor.index_select(0, samples.to(tensor.device))

        return Split(each(self.x, pick), each(self.target, pick))
