"""Time sparse currents and a heterosynaptic change, per synapse and sample, and compare with SciPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse
import torch

import circuitsim as cs
from benchmarks.circuits import OURS
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

BATCH, DENSITY = 32, 0.01


def sparse_motif(n: int, density: float) -> cs.Motif:
    """Declare a projection whose rule reads the current of another projection onto the same neurons."""
    motif = cs.Motif("listed")
    motif.add(cs.Population("x", n), cs.Population("y", n))
    rule = cs.Rule("eta * (I_V * pre - gamma * w)", eta=1e-3, gamma=1e-4)
    motif.connect("x", "y", name="W", connectivity=cs.Random(density), rule=rule)
    motif.connect("x", "y", name="V", connectivity=cs.Random(density))
    return motif


def time_sparse(n: int, density: float, rounds: int, device: str) -> list[Row]:
    """Time a step (two currents and one change at the synapses), and the same products in SciPy."""
    circuit = cs.compile(sparse_motif(n, density), device=device)
    x = torch.randn(BATCH, n, device=circuit.device)
    samples = x.cpu().numpy()
    columns = np.ascontiguousarray(samples.T)
    w, v = (_scipy(circuit.weights(name)[0].cpu()) for name in ("W", "V"))
    rows = np.repeat(np.arange(n), np.diff(w.indptr))

    def by_scipy() -> None:
        w @ columns
        drive = np.ascontiguousarray((v @ columns).T)
        change = np.zeros_like(w.data)
        for sample in range(BATCH):  # SciPy has no sampled product
            change += drive[sample, rows] * samples[sample, w.indices]
        w.data += 1e-3 * (change / BATCH - 1e-4 * w.data)

    timings = interleaved({OURS: lambda: circuit.step(x), "SciPy": by_scipy}, rounds)
    per = 1e-9 * (2 * w.nnz + v.nnz) * BATCH  # one multiplication and addition each
    case = f"{n:,} x {n:,} at {density:.0%}: {w.nnz:,} synapses, batch {BATCH}, per synapse and sample"
    return rows_of("sparse", case, timings, [Target(OURS, "SciPy", 1.0)], unit="ns", per=per)


def _scipy(matrix: torch.Tensor) -> scipy.sparse.csr_matrix:
    parts = (matrix.values(), matrix.col_indices(), matrix.crow_indices())
    return scipy.sparse.csr_matrix(tuple(part.numpy() for part in parts), shape=tuple(matrix.shape))


def _case(n: int) -> Callable[[int, str], list[Row]]:
    return lambda rounds, device: time_sparse(n, DENSITY, rounds, device)


CASES = {f"sparse-{n}": _case(n) for n in (2_000, 20_000)}
