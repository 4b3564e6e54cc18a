"""Compare circuits that settle, or that run in time, with the same circuits written by hand."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch

import circuitsim as cs
import motifs
from benchmarks.cases.sal_steps import BATCH, calls
from benchmarks.circuits import OURS, random_batch, size_of
from benchmarks.rivals import ETA, predictive_coding, rflo
from benchmarks.rivals.weights import forward_weights
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

BY_HAND = "torch by hand"
LAYERS, ITERATIONS, RATE = (784, 200, 200, 200, 10), 6, 0.2
UNITS, TAU, N_TIMES, SEQUENCES = (10, 100, 10), 5.0, 50, 32


def settling_circuit(layers: Sequence[int], device: str = "auto") -> cs.Circuit:
    """Compile predictive coding at the rate of the other program."""
    motif = motifs.predictive_coding(layers, eta=ETA, iterations=ITERATIONS, rate=RATE)
    return cs.compile(motif, device=device)


def recurrent_circuit(layers: Sequence[int], device: str = "auto") -> cs.Circuit:
    """Compile RFLO at the rate of the other program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.SlowRuleWarning)  # it keeps a state of each synapse for each sample
        return cs.compile(motifs.rflo(layers, eta=ETA, tau=TAU), device=device)


def time_predictive_coding(rounds: int, device: str, layers: Sequence[int] = LAYERS, batch: int = BATCH) -> list[Row]:
    """Time a step of predictive coding."""
    circuit = settling_circuit(layers, device)
    x, y = random_batch(circuit, layers, batch)
    with torch.device(circuit.device):
        by_hand = predictive_coding.make(forward_weights(layers), batch, ITERATIONS, RATE)
    timings = interleaved(calls({OURS: circuit.step, BY_HAND: by_hand}, x, y), rounds)
    case = f"{size_of(layers, batch)}, {ITERATIONS} iterations"
    return rows_of("predictive coding", case, timings, [Target(OURS, BY_HAND, 1.1)])


def time_recurrent(
    rounds: int, device: str, layers: Sequence[int] = UNITS, n_times: int = N_TIMES, batch: int = SEQUENCES
) -> list[Row]:
    """Time a step of RFLO over whole sequences."""
    circuit = recurrent_circuit(layers, device)
    x, target = (torch.randn(batch, n_times, n, device=circuit.device) for n in (layers[0], layers[-1]))
    by_hand = rflo.make({name: circuit.weights(name)[0] for name in "WRUB"}, batch, TAU)
    timings = interleaved(calls({OURS: circuit.step, BY_HAND: by_hand}, x, target), rounds)
    return rows_of("RFLO", f"{size_of(layers, batch)}, {n_times} times", timings, [Target(OURS, BY_HAND, 1.3)])


CASES = {"predictive-coding": time_predictive_coding, "recurrent": time_recurrent}
