"""Runs of a motif: what is given at each step, in what form, and what is done in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
import torch

import circuitsim as cs
from tests.oracle.wiring import input_names
from tests.strategies.expressions import SEEDS, pick, whole

SIZES_OF_BATCHES = [[3], [4], [1, 3], [3, 2, 5], [2, 3, 4, 1, 5, 6, 7, 8], [18, 2]]
SCHEDULES = [[1.0], [1.0], [1.0, 1.0, 1.0, 0.5], [0.5, 2.2], [2.2, 0.83, 1.0], [1.0, 0.0, 1.0]]
OPERATIONS = ["freeze", "thaw", "prune", "set_weights"]


@dataclass(frozen=True)
class Operation:
    """What a user does to a projection between two steps.

    Args:
        kind: name of the method of a circuit.
        projection: its name.
        seed: of the weights that are set.
        threshold: below which synapses are pruned.
    """

    kind: str
    projection: str
    seed: int
    threshold: float


@dataclass(frozen=True)
class Step:
    """One step, as a circuit gets it; `of` says what one replica gets.

    Args:
        x, targets: arrays by population, the inputs in the order in which they are given; ``[batch, ...]``, or with a
            replica axis before.
        signals: by name, arrays ``[batch]`` or ``[replica, batch]``, or the population whose summed activity it is.
        eta_scale: of the schedule.
        operations: before the step.
        as_tensors: given as tensors, rather than as arrays.
    """

    x: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    signals: dict[str, Any]
    eta_scale: float
    operations: list[Operation]
    as_tensors: bool

    def given(self, dtype: type = np.float64) -> tuple[Any, Any, dict[str, Any]]:
        """What a circuit is given: x, target, signals; what is one array here is one array there."""
        found: dict[int, Any] = {}

        def form(array: np.ndarray) -> Any:
            if id(array) not in found:
                other = array if array.dtype.kind == "i" else array.astype(dtype)
                found[id(array)] = torch.as_tensor(other) if self.as_tensors else other
            return found[id(array)]

        def told(value: Any) -> Any:
            return form(value) if isinstance(value, np.ndarray) else lambda c: c.activity(value).sum(-1)

        x, target = ({name: form(array) for name, array in part.items()} for part in (self.x, self.targets))
        return single(x), single(target), {name: told(value) for name, value in self.signals.items()}

    def of(self, replica: int) -> tuple[Any, Any, dict[str, Any]]:
        """What one replica is given: x, target, signals."""

        def own(array: np.ndarray, axes: int) -> np.ndarray:
            return array[replica] if array.ndim > axes else array

        targets = {name: own(array, 1 if array.dtype.kind == "i" else 2) for name, array in self.targets.items()}
        x = {name: own(array, 2) for name, array in self.x.items()}
        return x, targets, self.told(replica)

    def told(self, replica: int) -> dict[str, Any]:
        """The signals that one replica is given."""

        def own(value: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return lambda result: result.activity[value].sum(-1)
            return value[replica] if value.ndim > 1 else value

        return {name: own(value) for name, value in self.signals.items()}

    @property
    def n_samples(self) -> int:
        """The size of the batch."""
        return next(iter(self.x.values())).shape[-2]

    @property
    def n_times(self) -> int:
        """The length of its sequences."""
        return 1


def single(values: dict[str, Any]) -> Any:
    """The value itself where there is one, None where there is none."""
    return values if len(values) > 1 else next(iter(values.values()), None)


@st.composite
def runs(draw: Any, motif: cs.Motif, replicas: int, n_steps: int = 6) -> list[Step]:
    """Steps whose batches, rates and forms differ, with operations in between.

    Args:
        motif: sound.
        replicas: some steps have data for each.
        n_steps: how many.
    """
    random = np.random.default_rng(draw(SEEDS))
    sizes, schedule = pick(draw, SIZES_OF_BATCHES), pick(draw, SCHEDULES)
    as_tensors, each, twice, operated = (draw(st.booleans()) for _ in range(4))
    signals = {signal.name: pick(draw, ["batch", "replica", "activity"]) for signal in motif.signals if signal.is_given}
    steps = []
    for k in range(n_steps):
        n_samples = sizes[k % len(sizes)]
        x, targets = _batch(random, motif, n_samples, replicas if each else 0)
        if twice and k < draw(whole(n_steps)):
            _one_for_two(draw, motif, x, targets)
        operations = [*_operations(draw, random, motif)] if operated and k else []
        told = {name: signal_of(random, motif, kind, n_samples, replicas) for name, kind in signals.items()}
        names = draw(st.permutations(list(x))) if len(x) > 1 else list(x)
        x = {name: x[name] for name in names}
        steps.append(Step(x, targets, told, schedule[k % len(schedule)], operations, as_tensors))
    return steps


def _batch(random: np.random.Generator, motif: cs.Motif, n_samples: int, replicas: int) -> tuple[Any, Any]:
    """Normal numbers and some zeros; classes, labels or numbers as the loss of an output wants them."""
    axes = (replicas, n_samples) if replicas else (n_samples,)
    x = {}
    for name in input_names(motif):
        x[name] = random.normal(size=(*axes, motif.population(name).size))
        x[name][random.random(x[name].shape) < 0.1] = 0.0
    targets = {}
    for o in motif.objectives:
        size = motif.population(o.output).size
        if o.loss == "cross_entropy":
            targets[o.output] = random.integers(size, size=axes)
            if axes == (size, size):  # could be one-hot vectors, which are refused
                targets[o.output][0] = 0
        elif o.loss == "bce":
            targets[o.output] = random.integers(2, size=(*axes, size)).astype(float)
        else:
            targets[o.output] = random.normal(size=(*axes, size))
    return x, targets


def _one_for_two(draw: Any, motif: cs.Motif, x: dict[str, np.ndarray], targets: dict[str, np.ndarray]) -> None:
    """The same array under two names, of inputs or of an input and a target, where its shape allows it."""
    one, numbers = next(iter(x.values())), {o.output for o in motif.objectives if o.loss == "mse"}
    for part, names in ((x, set(x)), (targets, numbers)):
        for name in part:
            if name in names and part[name].shape == one.shape and draw(whole(2)):
                part[name] = one


def signal_of(random: np.random.Generator, motif: cs.Motif, kind: str, n_samples: int, replicas: int) -> Any:
    """The values of a given signal, or the population whose summed activity it is."""
    if kind == "activity":
        return motif.populations[random.integers(len(motif.populations))].name
    return random.normal(size=(replicas, n_samples) if kind == "replica" else n_samples)


def _operations(draw: Any, random: np.random.Generator, motif: cs.Motif) -> Iterator[Operation]:
    """None to two."""
    for _ in range(draw(whole(2))):
        kind = pick(draw, OPERATIONS)
        own = [p.name for p in motif.projections if p.tied_to is None and (kind != "thaw" or p.is_plastic)]
        if own:
            yield Operation(kind, pick(draw, own), int(random.integers(2**16)), random.uniform(0.05, 0.3))
