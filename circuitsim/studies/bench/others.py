"""Memory, compile time, and a whole epoch of `fit`."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch

import circuitsim as cs
from circuitsim.data import Split, minibatches
from circuitsim.studies.bench.floor import products
from circuitsim.studies.bench.row import Row, rows_of
from circuitsim.studies.bench.steps import Case, batch_of, circuit_of
from circuitsim.studies.bench.timing import interleaved
from motifs import sal

MEGABYTE = 1e6
LAYERS, BATCH, N_SAMPLES = (784, 200, 200, 200, 10), 256, 60_000  # Fashion-MNIST's


def memory(case: Case, device: str) -> list[Row]:
    """What a circuit holds after steps, beside weights, activities and one buffer for each distinct product."""
    circuit = circuit_of(case.layers, case.n_replicas, device)
    x, y = batch_of(circuit, case.layers, case.batch)
    for _ in range(3):
        circuit.step(x, y)
    ours = circuit.n_bytes / MEGABYTE
    numbers = sum(circuit.values(p.name).numel() for p in circuit.motif.projections)
    numbers += circuit.n_replicas * case.batch * sum(p.size for p in circuit.motif.populations)
    numbers += circuit.n_replicas * sum(p.rows * p.columns for p in products(circuit, case.batch))
    needed = numbers * torch.finfo(circuit.dtype).bits / 8 / MEGABYTE
    what = "weights, activities, products"
    return [
        Row("memory", case.name, "circuitsim", ours, ours, ours, "MB"),
        Row("memory", case.name, what, needed, needed, needed, "MB", ours / needed, 1.2),
    ]


def compile_time(n_layers: int, device: str) -> list[Row]:
    """How long a motif with many layers takes to compile: the best of three, in seconds."""
    motif = sal([64] + [32] * (n_layers - 1) + [10])
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        cs.compile(motif, device=device)
        seconds.append(time.perf_counter() - start)
    best = min(seconds)
    return [Row("compile", f"SAL of {n_layers} layers", "circuitsim", best, best, max(seconds), "s", best / 2.0, 1.0)]


class _Shuffled:
    """Mini-batches in a new order each time, as `fit` makes them of a data set; evaluation is no part of an epoch."""

    def __init__(self, split: Split) -> None:
        self.split, self.epoch = split, 0

    def __len__(self) -> int:
        return math.ceil(len(self.split) / BATCH)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        self.epoch += 1
        return minibatches(self.split, BATCH, seed=0, epoch=self.epoch)


def fit_epoch(rounds: int, device: str) -> list[Row]:
    """An epoch of Fashion-MNIST's size through `fit`, beside its steps alone on batches cut before."""
    by_fit, by_hand = circuit_of(LAYERS, 1, device), circuit_of(LAYERS, 1, device)
    x, y = batch_of(by_fit, LAYERS, N_SAMPLES)
    split = cs.Dataset.from_arrays(x.cpu(), y.cpu()).train.to(by_fit.device, by_fit.dtype)
    batches, cut = _Shuffled(split), list(minibatches(split, BATCH))

    def steps() -> None:
        for some, target in cut:
            by_hand.step(some, target)

    def fit() -> None:
        cs.fit(by_fit, batches, progress=False)

    timings = interleaved({"circuitsim": fit, "steps alone": steps}, rounds)
    return rows_of("fit", f"an epoch of {N_SAMPLES:,} x {LAYERS[0]}", timings, "circuitsim", {"steps alone": 1.15})
