"""`evaluate`: how good a circuit is on data, without changing it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from circuitsim.data import Split, minibatches
from circuitsim.engine import Circuit
from circuitsim.engine.feed import Feed
from circuitsim.errors import DataError, ParameterError
from circuitsim.train.batches import as_dataset
from circuitsim.train.metrics import metrics


def evaluate(circuit: Circuit, data: Any, split: str | None = None, batch_size: int = 2000) -> dict[str, np.ndarray]:
    """Loss and accuracy (and AUC for labels) of every replica.

    Args:
        circuit: is not changed.
        data: a Dataset, arrays (x, y), a Split, or an iterable of batches.
        split: "train", "validation" or "test" of a Dataset; by default the last of these that there is.
        batch_size: samples at a time; affects memory only.
    Returns:
        "loss", "accuracy", ... -> shape ``[replica]``; with several objectives, "accuracy[up2]", ...
    Raises:
        ParameterError: the data set has no such split, or the motif has no objective.
        DataError: the data does not fit the motif.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([64, 16, 10]), replicas=3, seed=0)
        >>> found = cs.evaluate(circuit, cs.load_dataset("digits"), "validation")
        >>> sorted(found), found["accuracy"].shape
        (['accuracy', 'loss'], (3,))
    """
    if not circuit.plan.objectives:
        raise ParameterError(f"motif {circuit.motif.name!r} has no objective; nothing to evaluate")
    batches = _batches(data, split, batch_size, circuit)
    feed = Feed(circuit.motif, circuit.plans, circuit.n_replicas, circuit.device, circuit.dtype)
    outputs: dict[str, list[Any]] = {name: [] for name in circuit.plan.outputs}
    targets: dict[str, list[Any]] = {name: [] for name in circuit.plan.outputs}
    for x, target in batches:
        for name in outputs:
            outputs[name].append(circuit.predict(x, name))
        n_samples = outputs[circuit.plan.outputs[0]][-1].shape[1]
        for name, tensor in feed.targets(target, n_samples).items():
            targets[name].append(tensor)
    if not targets[circuit.plan.outputs[0]]:
        raise DataError("there is no batch to evaluate")
    found: dict[str, np.ndarray] = {}
    for objective in circuit.plan.objectives:
        name = objective.output
        tag = "" if len(circuit.plan.objectives) == 1 else f"[{name}]"
        values = metrics(objective.loss, torch.cat(outputs[name], dim=1), torch.cat(targets[name], dim=1))
        found |= {f"{metric}{tag}": value for metric, value in values.items()}
    return found


def _batches(data: Any, split: str | None, batch_size: int, circuit: Circuit) -> Any:
    dataset = as_dataset(data)
    if dataset is None:
        return data
    name = split if split is not None else list(dataset.splits)[-1]
    if name not in dataset.splits:
        raise ParameterError(f"data set {dataset.name!r} has no split {name!r} (known: {list(dataset.splits)})")
    chosen: Split = dataset.splits[name].to(circuit.device, circuit.dtype)
    return minibatches(chosen, min(batch_size, len(chosen)))
