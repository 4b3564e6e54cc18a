"""Training of conditions."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import circuitsim as cs
from support.result import Result, weights_of
from support.setup import Setup
from support.workers import client


@dataclass(frozen=True)
class Condition:
    """One condition of an experiment: a motif and its training options.

    Args:
        motif: the motif that learns.
        probes: the probes of the run.
        epochs: the number of epochs, if it differs from that of the setup.
        schedule, dtype: as in `circuitsim.fit` and `circuitsim.compile`.
    """

    motif: cs.Motif
    probes: Mapping[str, cs.Probe] = field(default_factory=dict)
    epochs: int | None = None
    schedule: str | None = "cosine"
    dtype: str = "float32"


def train(label: str, condition: Condition, setup: Setup) -> Result:
    """Train a condition with seeds `setup.seed`, `setup.seed` + 1, ... as replicas of one circuit.

    A replica that runs away stays at its last good state, and `Result.runaways` lists it. If all replicas run away, the
    history ends early.
    """
    circuit = cs.compile(
        condition.motif, replicas=setup.seeds, seed=setup.seed, device=setup.device, dtype=condition.dtype
    )
    before = weights_of(circuit)
    try:
        history = cs.fit(
            circuit, setup.data, epochs=condition.epochs or setup.epochs, batch_size=setup.batch_size,
            schedule=condition.schedule, probes=condition.probes, progress=setup.progress,
            checkpoint=checkpoint_of(label, setup), resume=setup.resume,
        )  # fmt: skip
    except cs.SimulationDiverged as error:
        history = error.history  # type: ignore[attr-defined]  # `fit` adds it
    return Result(copy.deepcopy(circuit), before, history)  # a copy without the buffers of steps: a study keeps many


def train_all(conditions: Mapping[str, Condition], setup: Setup) -> dict[str, Result]:
    """Train conditions one after the other in this process, or each on a worker of a Dask scheduler.

    Workers save their circuits in the run folder, which they must share with this process. If a worker dies, another
    one continues its condition from the last epoch; a repeated command continues in the same way.

    Returns:
        The results, keyed by label; after Ctrl-C, those obtained so far.
    """
    results = {}
    if setup.scheduler is None:
        for label, condition in conditions.items():
            results[label] = train(label, condition, setup)
            if results[label].history.interrupted:
                break
        return results
    there = replace(setup, resume=True, progress=False)
    with client(setup.scheduler) as dask:
        futures = {k: dask.submit(train, k, condition, there, pure=False) for k, condition in conditions.items()}
        return {label: future.result() for label, future in futures.items()}


def checkpoint_of(label: str, setup: Setup) -> Path | None:
    """Where a condition is saved while it learns; None if it is not."""
    name = re.sub(r"\W+", "_", f"{setup.dataset} {label}")
    return setup.out / "trained" / f"{name}.safetensors" if setup.resume else None
