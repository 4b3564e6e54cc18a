"""`evaluate` measures how well a circuit performs on data, without changing it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from circuitsim.data import Split, minibatches
from circuitsim.engine import Circuit
from circuitsim.engine.input_binder import InputBinder
from circuitsim.errors import ParameterError, check_kind
from circuitsim.train.batches import as_dataset, pairs
from circuitsim.train.metrics import metrics, tag
from circuitsim.whole import whole


def evaluate(circuit: Circuit, data: Any, split: str | None = None, batch_size: int = 2000) -> dict[str, np.ndarray]:
    """Compute the loss and accuracy (and the AUC for labels) of every replica, over all time steps where targets are
    sequences, otherwise after the last.

    Args:
        circuit: the circuit; it is not changed.
        data: a Dataset, arrays (x, y), a Split, or an iterable of batches.
        split: "train", "validation" or "test" of a Dataset; by default the last of these that exists.
        batch_size: the number of samples to process at once; it affects only memory.
    Returns:
        The metrics "loss", "accuracy", ..., each of shape ``[replica]``; with several objectives their names are
        "accuracy[up2]", ...
    Raises:
        ParameterError: the data set lacks the split, batches are given with a split, the motif has no objective, or
            `batch_size` is out of range.
        DataError: the data do not fit the motif, or there are none.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([64, 16, 10]), replicas=3, seed=0)
        >>> found = cs.evaluate(circuit, cs.load_dataset("digits"), "validation")
        >>> sorted(found), found["accuracy"].shape
        (['accuracy', 'loss'], (3,))
    """
    check_kind("evaluate", circuit, Circuit, "cs.compile(motif) makes one")
    objectives = circuit.motif.objectives
    if not objectives:
        raise ParameterError(f"motif {circuit.motif.name!r} has no objective; nothing to evaluate")
    batches = _batches(data, split, batch_size, circuit)
    binder = InputBinder(circuit.motif, circuit.plans, circuit.n_replicas, circuit.device, circuit.dtype)
    names = list(dict.fromkeys(o.output for o in objectives))
    outputs: dict[str, list[Any]] = {name: [] for name in names}
    targets: dict[str, list[Any]] = {name: [] for name in names}
    for x, target in batches:
        goals = binder.targets(target, binder.inputs(x, check=False))
        timed = binder.timed(goals)
        for name, goal in goals.items():
            output = circuit.predict(x, name, every_time=name in timed)
            goal = goal.expand(circuit.n_replicas, *goal.shape[1:])
            outputs[name].append(output.flatten(1, 2) if name in timed else output)
            targets[name].append(goal.flatten(1, 2) if name in timed else goal)
    found: dict[str, np.ndarray] = {}
    for objective in objectives:
        name = objective.output
        values = metrics(objective.loss, torch.cat(outputs[name], dim=1), torch.cat(targets[name], dim=1))
        found |= {f"{metric}{tag(circuit.motif, objective)}": value for metric, value in values.items()}
    return found


def _batches(data: Any, split: str | None, batch_size: int, circuit: Circuit) -> Any:
    dataset = as_dataset(data, circuit)
    if dataset is None and split is not None:
        raise ParameterError(
            f"split {split!r} is a part of a Dataset, but data is an iterable of batches: leave it out"
        )
    if dataset is None:
        return pairs(data)
    name = split if split is not None else list(dataset.splits)[-1]
    if name not in dataset.splits:
        raise ParameterError(f"data set {dataset.name!r} has no split {name!r} (known: {list(dataset.splits)})")
    chosen: Split = dataset.splits[name].to(circuit.device, circuit.dtype)
    return minibatches(chosen, min(whole("batch_size", batch_size, least=1), len(chosen)))
