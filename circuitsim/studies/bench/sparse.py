"""Listed synapses: time per synapse and sample of a current and of a heterosynaptic change, beside SciPy."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import torch

import circuitsim as cs
from circuitsim.studies.bench.row import Row, rows_of
from circuitsim.studies.bench.timing import interleaved

BATCH = 32


def sparse_motif(n: int, density: float) -> cs.Motif:
    """One projection that changes with the current of another."""
    motif = cs.Motif("listed")
    motif.add(cs.Population("x", n), cs.Population("y", n))
    rule = cs.Rule("eta * (I_V * pre - gamma * w)", eta=1e-3, gamma=1e-4)
    motif.connect("x", "y", name="W", connectivity=cs.Random(density), rule=rule)
    motif.connect("x", "y", name="V", target="dendrite", connectivity=cs.Random(density))
    return motif


def time_sparse(n: int, density: float, rounds: int, device: str) -> list[Row]:
    """A step (two currents and one change at the synapses) beside the same products in SciPy."""
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
        for sample in range(BATCH):  # SciPy has no product at given places
            change += drive[sample, rows] * samples[sample, w.indices]
        w.data += 1e-3 * (change / BATCH - 1e-4 * w.data)

    timings = interleaved({"circuitsim": lambda: circuit.step(x), "SciPy": by_scipy}, rounds)
    per = 1e-9 * (2 * w.nnz + v.nnz) * BATCH  # one multiplication and addition each
    case = f"{n:,} x {n:,} at {density:.0%}: {w.nnz:,} synapses, batch {BATCH}, per synapse and sample"
    return rows_of("sparse", case, timings, "circuitsim", {"SciPy": 1.0}, unit="ns", per=per)


def _scipy(matrix: torch.Tensor) -> scipy.sparse.csr_matrix:
    parts = (matrix.values(), matrix.col_indices(), matrix.crow_indices())
    return scipy.sparse.csr_matrix(tuple(part.numpy() for part in parts), shape=tuple(matrix.shape))
