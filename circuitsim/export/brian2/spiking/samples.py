"""Samples for a spiking network: rows of inputs and targets, keyed by the names that its equations use."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from circuitsim.data.arrays import as_numpy
from circuitsim.engine import Circuit
from circuitsim.engine.input_binder import check_target
from circuitsim.errors import DataError
from circuitsim.export.brian2.feeding import Feeding
from circuitsim.export.brian2.spiking.model import GRID_MS
from circuitsim.motif.arrays import as_numbers
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.plan import Plan


@dataclass(frozen=True)
class Samples:
    """Samples as arrays ``[sample, neuron]``, keyed by ``input_<population>`` and ``target_<output>``, and ``[sample,
    ms]`` or ``[sample, 1]``, keyed by ``signal_<name>``."""

    arrays: Mapping[str, np.ndarray]
    n: int  # of samples

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


def read_samples(circuit: Circuit, length_ms: float, x: Any, target: Any = None, signals: Any = None) -> Samples:
    """Validate samples as the circuit does, and turn classes into one-hot vectors. A squared error takes classes too.

    Args:
        circuit: the circuit for which the samples are meant.
        length_ms: the length of a trial.
        x: ``[sample, input]``, or a mapping from populations to such arrays.
        target: classes ``[sample]`` or vectors, or None if only outputs are needed.
        signals: an array ``[sample]``, or ``[sample, ms]`` with a number for every ms of a trial, keyed by signal; None
            if only outputs are needed.
    Raises:
        DataError: x, target or a signal does not fit.
    """
    plan = circuit.plan
    first = next(iter(x.values()), ()) if isinstance(x, Mapping) else x
    if not hasattr(first, "__len__"):
        raise DataError(f"x must be an array [sample, input] (got {type(first).__name__})")
    n = len(first)
    if n < 1:
        raise DataError("there are no samples")
    feeding = Feeding(circuit, 0)  # without noise, which a spiking network has not
    silent = {name: np.zeros(n) for name in plan.signals}
    given = _signals(plan.signals, silent if signals is None else signals, n, round(length_ms / GRID_MS))
    if target is None:
        arrays: Mapping[str, np.ndarray] = feeding.inputs(x) | _blank(plan, n)
    else:
        ((arrays, _),) = feeding.batches([(x, _vectors(plan, target) if plan.objectives else None, silent)])
    return Samples({**arrays, **{f"signal_{name}": values for name, values in given.items()}}, n)


def _signals(names: Collection[str], given: Any, n: int, n_ms: int) -> dict[str, np.ndarray]:
    given = normalized_keys(given, "signals", DataError)
    if sorted(given) != sorted(names):
        raise DataError(f"signals are given for {sorted(given)}, needed for {sorted(names)}")
    found = {}
    for name, value in given.items():
        values = as_numbers(value, f"signal {name!r}", DataError)
        if values.shape not in ((n,), (n, n_ms)):
            raise DataError(
                f"signal {name!r} has shape {list(values.shape)}, needs [{n}], a number for each sample, or "
                f"[{n}, {n_ms}], one for every ms of its trial"
            )
        if not np.isfinite(values).all():
            raise DataError(f"signal {name!r} has values that are not finite numbers")
        found[name] = values.reshape(n, -1)
    return found


def _blank(plan: Plan, n: int) -> dict[str, np.ndarray]:
    """Targets for outputs alone: errors are computed, but teach nothing."""
    found = {}
    for o in plan.objectives:
        blank = found[f"target_{o.output}"] = np.zeros((n, plan.populations[o.output].size))
        blank[:, 0] = o.loss == "cross_entropy"
    return found


def _vectors(plan: Plan, target: Any) -> Any:
    if isinstance(target, Mapping) or len(plan.objectives) != 1 or plan.objectives[0].loss != "mse":
        return target
    output = plan.objectives[0].output
    size, owner = plan.populations[output].size, f"target of {output!r}"
    classes = as_numpy(target, owner)
    if classes.ndim != 1 or classes.dtype.kind == "f":
        return target
    indices = torch.as_tensor(classes.astype(np.int64))
    check_target(indices, size, owner)
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
