"""Measure the overhead of `fit` over the steps of an epoch: order, batches, checks, history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import circuitsim as cs
from benchmarks.circuits import OURS, random_batch, sal_circuit
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

LAYERS, BATCH, N_SAMPLES = (784, 200, 200, 200, 10), 256, 60_000  # as for Fashion-MNIST
STEPS = "steps alone"


class Shuffled:
    """Batches in a new order each epoch, as `fit` makes them from a data set. `fit` does not evaluate an iterable.

    Args:
        split: the samples.
    """

    def __init__(self, split: Any) -> None:
        self.split, self.epoch = split, 0

    def __len__(self) -> int:
        return math.ceil(len(self.split) / BATCH)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        self.epoch += 1
        return cs.minibatches(self.split, BATCH, seed=0, epoch=self.epoch)


def time_fit(rounds: int, device: str, layers: Sequence[int] = LAYERS, n_samples: int = N_SAMPLES) -> list[Row]:
    """Time an epoch of `fit`, and its steps alone on batches prepared in advance.

    Args:
        rounds, device: as in `benchmarks.bench`.
        layers: the layer sizes of the circuit.
        n_samples: the number of samples in the epoch.
    """
    by_fit, by_hand = sal_circuit(layers, device=device), sal_circuit(layers, device=device)
    x, y = random_batch(by_fit, layers, n_samples)
    split = cs.Dataset.from_arrays(x.cpu(), y.cpu()).train.to(by_fit.device, by_fit.dtype)
    batches, cut = Shuffled(split), list(cs.minibatches(split, BATCH))

    def steps() -> None:
        for some, target in cut:
            by_hand.step(some, target)

    timings = interleaved({OURS: lambda: cs.fit(by_fit, batches, progress=False), STEPS: steps}, rounds)
    case = f"an epoch of {n_samples:,} x {layers[0]}"
    return rows_of("fit", case, timings, [Target(OURS, STEPS, 1.10)], unit="s", per=1.0)


CASES = {"fit": time_fit}
