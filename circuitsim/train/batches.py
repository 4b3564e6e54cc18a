"""Sources of mini-batches, made from any kind of data that `fit` accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, Protocol

import torch

from circuitsim.data import Dataset, Split, minibatches
from circuitsim.data.agreement import check_rows, width
from circuitsim.data.arrays import infer_kinds
from circuitsim.data.dataset import read_split
from circuitsim.engine import Circuit
from circuitsim.engine.input_binder import InputBinder
from circuitsim.errors import DataError, ParameterError
from circuitsim.motif.neuron_names import samples_in_order
from circuitsim.motif.wiring import inputs_of, sequences_of


class Batches(Protocol):
    """A source of mini-batches."""

    n_batches: int | None  # per epoch, or None if unknown

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        """Yield the batches (x, target) of one epoch."""


class SplitBatches:
    """Shuffled mini-batches of samples in memory, which are moved to the circuit's device once."""

    def __init__(self, split: Split, batch_size: int, seed: int, circuit: Circuit) -> None:
        if batch_size > len(split):
            raise ParameterError(f"batch_size is {batch_size}, but there are only {len(split)} training samples")
        self.split, self.batch_size, self.seed = split.to(circuit.device, circuit.dtype), batch_size, seed
        self.n_batches: int | None = -(-len(split) // batch_size)

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        return minibatches(self.split, self.batch_size, seed=self.seed, epoch=number)


class IterableBatches:
    """An iterable of batches, such as a DataLoader, that is iterated over once per epoch."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self.batches = batches
        self.n_batches = len(batches) if isinstance(batches, Sized) else None

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        return pairs(self.batches)


def pairs(batches: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the batches (x, target) of an iterable."""
    n = 0
    for n, batch in enumerate(batches, start=1):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise DataError(f"batch {n - 1} of the iterable must be a pair (x, target) (got {type(batch).__name__})")
        x, target = batch
        check_rows(x, target, f"batch {n - 1}")
        yield x, target
    if not n:
        raise DataError("the iterable has no batches; an iterator can be used only once: pass a list or a DataLoader")


def check_fit(circuit: Circuit, split: Split, name: str) -> None:
    """Check, on the CPU to avoid device synchronisation, that samples fit the motif's inputs and objectives."""
    binder = InputBinder(circuit.motif, circuit.plans, circuit.n_replicas, torch.device("cpu"), circuit.dtype)
    try:
        inputs = binder.inputs(split.x)
        if circuit.motif.objectives:
            binder.targets(split.target, inputs)
    except DataError as error:
        raise DataError(f"split {name!r} does not fit motif {circuit.motif.name!r}: {error}") from None


def as_dataset(data: Any, circuit: Circuit) -> Dataset | None:
    """Convert a Dataset, a Split or a pair of arrays to a Dataset; return None for an iterable of batches."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Split):
        return _of_arrays(data.x, data.target, circuit)
    if isinstance(data, tuple) and len(data) == 2:
        if all(isinstance(part, tuple) for part in data):
            raise DataError("data is a tuple of two tuples, but two are read as (x, y): pass batches as a list")
        return _of_arrays(*data, circuit)
    if isinstance(data, Iterable) and not isinstance(data, Mapping | str):
        return None
    raise DataError(f"data must be a Dataset, arrays (x, y) or an iterable of batches (got {type(data).__name__})")


def _in_order(circuit: Circuit, given: Any, populations: Sequence[str], owner: str) -> Any:
    """Bring the columns of frames into the order of the neurons that they name."""
    if isinstance(given, Mapping):
        known = set(populations)
        return {
            k: samples_in_order(circuit.motif, k, v, f"{owner}[{k!r}]") if k in known else v for k, v in given.items()
        }
    return samples_in_order(circuit.motif, populations[0], given, owner) if len(populations) == 1 else given


def _of_arrays(x: Any, y: Any, circuit: Circuit) -> Dataset:
    """Make a data set for a circuit, which knows whether inputs are sequences, and how many classes there are, so that
    some may have no sample here."""
    x = _in_order(circuit, x, sorted(inputs_of(circuit.motif)), "x")
    y = _in_order(circuit, y, [o.output for o in circuit.motif.objectives], "y")
    sequences = bool(sequences_of(circuit.motif))
    kinds = infer_kinds(y, None, "y", sequences)
    split = read_split("train", (x, y), (x, y), kinds, circuit.dtype, sequences)
    y = split.target
    outputs = {name: width(target) for name, target in y.items()} if isinstance(y, dict) else width(y)
    return Dataset("arrays", split, None, None, kinds, outputs)
