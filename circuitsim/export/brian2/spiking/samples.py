"""Samples for a spiking network: rows of inputs and targets, keyed by the names that its equations use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from circuitsim.data.arrays import as_numpy
from circuitsim.engine import Circuit
from circuitsim.engine.validation import InputValidator
from circuitsim.errors import DataError
from circuitsim.export.brian2.cycles import cycles_of
from circuitsim.export.brian2.feeding import Feeding
from circuitsim.plan import Plan


@dataclass(frozen=True)
class Samples:
    """A number of samples.

    Args:
        arrays: arrays ``[sample, neuron]``, keyed by ``input_<population>`` and ``target_<output>``.
        n: the number of samples.
    """

    arrays: Mapping[str, np.ndarray]
    n: int

    def rows(self, which: np.ndarray) -> dict[str, np.ndarray]:
        """The rows of some samples."""
        return {name: values[which] for name, values in self.arrays.items()}

    @property
    def classes(self) -> np.ndarray | None:
        """The class of each sample, or None unless there is a single target, which is one-hot."""
        targets = [values for name, values in self.arrays.items() if name.startswith("target_")]
        if len(targets) != 1 or not bool(
            ((targets[0] == 0) | (targets[0] == 1)).all() and (targets[0].sum(1) == 1).all()
        ):
            return None
        return np.asarray(targets[0].argmax(1))


def read_samples(circuit: Circuit, x: Any, target: Any = None) -> Samples:
    """Validate samples as the circuit does, and turn classes into one-hot vectors. A squared error takes classes too.

    Args:
        circuit: the circuit for which the samples are meant.
        x: ``[sample, input]``, or a mapping from populations to such arrays.
        target: classes ``[sample]`` or vectors, or None if only outputs are needed.
    Raises:
        DataError: x or target does not fit.
    """
    plan = circuit.plan
    first = next(iter(x.values()), ()) if isinstance(x, Mapping) else x
    if not hasattr(first, "__len__"):
        raise DataError(f"x must be an array [sample, input] (got {type(first).__name__})")
    n = len(first)
    if n < 1:
        raise DataError("there are no samples")
    feeding = Feeding(circuit, 0, cycles_of(circuit.motif, circuit.plans))
    if target is None:
        arrays = feeding.inputs(x)
        for o in plan.objectives:  # errors are computed, but teach nothing
            blank = arrays[f"target_{o.output}"] = np.zeros((n, plan.populations[o.output].size))
            blank[:, 0] = o.loss == "cross_entropy"
        return Samples(arrays, n)
    ((batch, _),) = feeding.batches([(x, _vectors(plan, target) if plan.objectives else None)])
    return Samples(batch, n)


def _vectors(plan: Plan, target: Any) -> Any:
    if isinstance(target, Mapping) or len(plan.objectives) != 1 or plan.objectives[0].loss != "mse":
        return target
    output = plan.objectives[0].output
    size, owner = plan.populations[output].size, f"target of {output!r}"
    classes = as_numpy(target, owner)
    if classes.ndim != 1 or classes.dtype.kind == "f":
        return target
    indices = torch.as_tensor(classes.astype(np.int64))
    InputValidator(torch.float64).check_classes(indices, size, owner)
    return torch.nn.functional.one_hot(indices, size).to(torch.float64)


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """A checksum of named arrays, by which a resumed run notices that it was given others."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode() + arrays[name].tobytes())
    return digest.hexdigest()[:12]


def presentation(n_samples: int, n_shown: int, seed: int) -> np.ndarray:
    """The sample that each trial shows. Each epoch shows every sample once, in an order keyed by (seed, epoch)."""
    epochs = -(-n_shown // n_samples)
    return np.concatenate([np.random.default_rng([seed, e]).permutation(n_samples) for e in range(epochs)])[:n_shown]
