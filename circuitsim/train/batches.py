"""Whatever `fit` takes as data, as mini-batches epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Protocol

import torch

from circuitsim.data import Dataset, Split, minibatches
from circuitsim.engine import Circuit
from circuitsim.engine.feed import Feed
from circuitsim.errors import DataError, ParameterError


class Batches(Protocol):
    """A source of mini-batches."""

    n_batches: int | None  # per epoch, where it is known

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        """The batches (x, target) of one epoch."""


class SplitBatches:
    """Shuffled mini-batches of samples in memory, moved to the circuit's device once."""

    def __init__(self, split: Split, batch_size: int, seed: int, circuit: Circuit) -> None:
        if batch_size > len(split):
            raise ParameterError(f"batch_size is {batch_size}, but there are only {len(split)} training samples")
        self.split, self.batch_size, self.seed = split.to(circuit.device, circuit.dtype), batch_size, seed
        self.n_batches: int | None = -(-len(split) // batch_size)

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        return minibatches(self.split, self.batch_size, seed=self.seed, epoch=number)


class IterableBatches:
    """The user's own iterable of batches, such as a DataLoader; it is iterated over once per epoch."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self.batches = batches
        self.n_batches = len(batches) if isinstance(batches, Sized) else None

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        found = 0
        for found, batch in enumerate(self.batches, start=1):
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                raise DataError(
                    f"batch {found - 1} of the iterable must be a pair (x, target) (got {type(batch).__name__})"
                )
            yield batch[0], batch[1]
        if not found:
            raise DataError(
                f"the iterable of batches gave nothing in epoch {number}; an iterator can be used only once: "
                "give a list or a DataLoader"
            )


def check_fit(circuit: Circuit, split: Split, name: str) -> None:
    """Compare samples with the motif's inputs and objectives; on the CPU, where looking is free.

    Raises:
        DataError: other features, classes or labels than the motif has, or values that are not finite.
    """
    feed = Feed(circuit.motif, circuit.plans, circuit.n_replicas, torch.device("cpu"), circuit.dtype)
    try:
        feed.inputs(split.x)
        if circuit.motif.objectives:
            feed.targets(split.target, len(split))
    except DataError as error:
        raise DataError(f"split {name!r} does not fit motif {circuit.motif.name!r}: {error}") from None


def as_dataset(data: Any) -> Dataset | None:
    """A Dataset from a Dataset, a Split or a pair of arrays; None for an iterable of batches."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Split):
        return Dataset.from_arrays(data.x, data.target)
    if isinstance(data, tuple) and len(data) == 2:
        return Dataset.from_arrays(*data)
    if isinstance(data, Iterable) and not isinstance(data, Mapping | str):
        return None
    raise DataError(f"data must be a Dataset, arrays (x, y) or an iterable of batches (got {type(data).__name__})")
