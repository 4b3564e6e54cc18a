"""Many circuits in one batch, beside a Python loop over solo circuits."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from circuitsim.studies.bench.row import Row, rows_of
from circuitsim.studies.bench.steps import batch_of, circuit_of
from circuitsim.studies.bench.timing import interleaved

LAYERS, BATCH = (64, 32, 32, 10), 64
GAINS = {16: 6.0, 256: 12.0}  # replicas -> how many times faster than solo runs


def time_replicas(n_replicas: int, rounds: int, device: str) -> list[Row]:
    """R replicas in one circuit, R solo circuits one after the other, and R replicas in plain torch."""
    together = circuit_of(LAYERS, n_replicas, device)
    alone = [circuit_of(LAYERS, 1, device) for _ in range(n_replicas)]
    plain = importlib.import_module("benchmarks.rivals.plain_torch").make(LAYERS, BATCH, n_replicas)
    x, y = batch_of(together, LAYERS, BATCH)

    def loop() -> None:
        for circuit in alone:
            circuit.step(x, y)

    contestants: dict[str, Callable[[], object]] = {
        "circuitsim": lambda: together.step(x, y),
        "loop of solo circuits": loop,
        "plain torch, batched": lambda: plain(x.cpu(), y.cpu()),
    }
    case = f"{'-'.join(map(str, LAYERS))}, batch {BATCH}, {n_replicas} replicas"
    limits = {"loop of solo circuits": 1 / GAINS[n_replicas]}
    return rows_of("replicas", case, interleaved(contestants, rounds), "circuitsim", limits)
