"""Compare the memory of a circuit with the size of the quantities in its equations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch

from benchmarks.cases.sal_steps import BATCH, SIZES
from benchmarks.circuits import OURS, random_batch, sal_circuit, size_of
from benchmarks.rows import Row

NAMED = "weights, activities, products"
MEGABYTE = 1e6
AT_MOST = 1.2


def numbers_named(layers: Sequence[int], batch: int) -> int:
    """Count the numbers in SAL's equations: weights, activities, and each product once, computed as written.

    Args:
        layers: the sizes of the ascending populations.
        batch: the number of samples.
    """
    forward = sum(a * b for a, b in itertools.pairwise(layers))
    back = sum(a * b for a, b in itertools.pairwise(layers[1:]))
    square = sum(size * size for size in layers[1:-1])
    hidden, output = sum(layers[1:-1]), layers[-1]
    weights = forward + back + 2 * square + output
    activities = sum(layers) + hidden + output
    currents = (hidden + output) + hidden + 2 * hidden  # W h, Wt g, V g and Vt h
    means = forward + back + square  # of W, of Wt, and one for V and Vt
    return weights + batch * (activities + currents) + means


def measure_memory(layers: Sequence[int], device: str, batch: int = BATCH) -> list[Row]:
    """Measure the memory of a circuit after three steps, in megabytes.

    Args:
        layers, batch: the layer sizes and the batch size.
        device: as in `circuitsim.compile`.
    """
    circuit = sal_circuit(layers, device=device)
    x, y = random_batch(circuit, layers, batch)
    for _ in range(3):
        circuit.step(x, y)
    ours = circuit.n_bytes / MEGABYTE
    named = numbers_named(layers, batch) * torch.finfo(circuit.dtype).bits / 8 / MEGABYTE
    case, ratio = size_of(layers, batch), ours / named
    return [
        Row("memory", case, OURS, "", ours, ours, ours, "MB"),
        Row("memory", case, NAMED, "", named, named, named, "MB"),
        Row("memory", case, OURS, NAMED, ratio, ratio, ratio, "", AT_MOST),
    ]


def _case(layers: Sequence[int]) -> Callable[[int, str], list[Row]]:
    return lambda rounds, device: measure_memory(layers, device)


CASES = {name.replace("sal", "memory"): _case(layers) for name, (layers, _) in SIZES.items()}
