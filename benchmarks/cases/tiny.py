"""Time a step of a tiny circuit, which is mostly overhead."""

from __future__ import annotations

import torch

from benchmarks.cases.sal_steps import BY_HAND, PLAIN, calls
from benchmarks.circuits import OURS, random_batch, sal_circuit, size_of
from benchmarks.rivals import plain_torch, reassociated_torch
from benchmarks.rivals.weights import sal_weights
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

LAYERS, BATCH = (8, 6, 5, 3), 4


def time_tiny(rounds: int, device: str) -> list[Row]:
    """Time circuitsim, and hand-written torch without bookkeeping, validation or a loss."""
    circuit = sal_circuit(LAYERS, device=device)
    x, y = random_batch(circuit, LAYERS, BATCH)
    with torch.device(circuit.device):
        steps = {
            OURS: circuit.step,
            PLAIN: plain_torch.make(sal_weights(LAYERS), BATCH),
            BY_HAND: reassociated_torch.make(sal_weights(LAYERS), BATCH),
        }
    timings = interleaved(calls(steps, x, y), rounds)
    targets = [Target(OURS, PLAIN, 1.5), Target(OURS, BY_HAND)]
    return rows_of("tiny", size_of(LAYERS, BATCH), timings, targets, unit="µs", per=1e-6)


CASES = {"tiny": time_tiny}
