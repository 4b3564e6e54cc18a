"""Samples as a network plays them: rows of inputs and targets, by the names that its equations use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit
from circuitsim.errors import DataError, ParameterError
from circuitsim.export.brian2.cycles import cycles_of
from circuitsim.export.brian2.feeding import Feeding
from circuitsim.plan import Plan


@dataclass(frozen=True)
class Samples:
    """Rows.

    Args:
        arrays: ``input_<population>`` and ``target_<output>``, ``[sample, neuron]``.
        n: how many.
    """

    arrays: Mapping[str, np.ndarray]
    n: int

    def rows(self, which: np.ndarray) -> dict[str, np.ndarray]:
        """Some of them."""
        return {name: values[which] for name, values in self.arrays.items()}

    @property
    def classes(self) -> np.ndarray | None:
        """The class of each sample, where there is one target and it is one-hot."""
        targets = [values for name, values in self.arrays.items() if name.startswith("target_")]
        if len(targets) != 1 or not bool(
            ((targets[0] == 0) | (targets[0] == 1)).all() and (targets[0].sum(1) == 1).all()
        ):
            return None
        return np.asarray(targets[0].argmax(1))


def read_samples(circuit: Circuit, x: Any, target: Any = None) -> Samples:
    """Check samples as the circuit does, classes one-hot; a squared error takes classes too.

    Args:
        circuit: says what fits.
        x: ``[sample, input]``, or by population.
        target: classes ``[sample]`` or vectors; None where only outputs are asked for.
    Raises:
        DataError: something does not fit.
    """
    plan = circuit.plan
    n = len(next(iter(x.values())) if isinstance(x, Mapping) else x)
    if n < 1:
        raise DataError("there are no samples")
    wanted = _blank(plan, n) if target is None else _vectors(plan, target)
    feeding = Feeding(circuit, 0, cycles_of(circuit.motif, circuit.plans))
    ((batch, _),) = feeding.batches([(x, wanted if plan.objectives else None)])
    return Samples(batch.arrays, n)


def _blank(plan: Plan, n: int) -> Any:
    blank = {
        o.output: torch.zeros(n, dtype=torch.int64)
        if o.loss == "cross_entropy"
        else torch.zeros(n, plan.populations[o.output].size)
        for o in plan.objectives
    }
    return next(iter(blank.values())) if len(blank) == 1 else blank


def _vectors(plan: Plan, target: Any) -> Any:
    if isinstance(target, Mapping) or len(plan.objectives) != 1 or plan.objectives[0].loss != "mse":
        return target
    classes, size = torch.as_tensor(target), plan.populations[plan.objectives[0].output].size
    if classes.ndim != 1 or classes.is_floating_point():
        return target
    if bool((classes < 0).any() or (classes >= size).any()):
        raise DataError(f"classes must be in 0 .. {size - 1} (got {classes.min()} .. {classes.max()})")
    return torch.nn.functional.one_hot(classes.long(), size).to(torch.float64)


def presentation(n_samples: int, n_shown: int, seed: int) -> np.ndarray:
    """Which sample each trial shows: every one once an epoch, in an order keyed by (seed, epoch)."""
    if n_shown < 1:
        raise ParameterError(f"samples must be a positive integer (got {n_shown!r})")
    epochs = -(-n_shown // n_samples)
    return np.concatenate([np.random.default_rng([seed, e]).permutation(n_samples) for e in range(epochs)])[:n_shown]
