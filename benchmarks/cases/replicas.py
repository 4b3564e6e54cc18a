"""Compare replicas in one circuit with a Python loop over single circuits."""

from __future__ import annotations

import functools

import torch

from benchmarks.circuits import OURS, random_batch, sal_circuit, size_of
from benchmarks.rivals import plain_torch
from benchmarks.rivals.weights import sal_weights
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

LAYERS, BATCH = (64, 32, 32, 10), 64
GAINS = {16: 8.0, 256: 14.0}  # replicas -> required speed-up over single circuits
LOOP, PLAIN = "loop of solo circuits", "plain torch, batched"


def time_replicas(n_replicas: int, rounds: int, device: str) -> list[Row]:
    """Time R replicas in one circuit, R single circuits one after the other, and R replicas in plain torch."""
    together = sal_circuit(LAYERS, n_replicas=n_replicas, device=device)
    alone = [sal_circuit(LAYERS, device=device) for _ in range(n_replicas)]
    x, y = random_batch(together, LAYERS, BATCH)
    with torch.device(together.device):
        plain = plain_torch.make(sal_weights(LAYERS, n_replicas), BATCH)

    def loop() -> None:
        for circuit in alone:
            circuit.step(x, y)

    contestants = {OURS: lambda: together.step(x, y), LOOP: loop, PLAIN: lambda: plain(x, y)}
    gain = GAINS.get(n_replicas)
    targets = [Target(OURS, LOOP, None if gain is None else 1 / gain), Target(OURS, PLAIN)]
    case = f"{size_of(LAYERS, BATCH)}, {n_replicas} replicas"
    return rows_of("replicas", case, interleaved(contestants, rounds), targets)


CASES = {f"replicas-{n_replicas}": functools.partial(time_replicas, n_replicas) for n_replicas in GAINS}
