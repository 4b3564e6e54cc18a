"""The floor of a step: the bare matrix products of its plan, preallocated, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from circuitsim.engine import Circuit


@dataclass(frozen=True)
class Product:
    """``[rows, inner]`` times ``[inner, columns]``, once for each replica.

    Args:
        what: the current or batch mean that it gives, as in the printed plan.
        rows, inner, columns: sizes.
        is_mean: whether it sums over the batch: the left factor is read transposed then, else the right one.
    """

    what: str
    rows: int
    inner: int
    columns: int
    is_mean: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.rows} x {self.inner} x {self.columns}"


def products(circuit: Circuit, batch: int) -> list[Product]:
    """Every dense matrix product of the plan, equal ones once."""
    found = []
    for plan in circuit.plans:
        for p in plan.projections.values():
            if p.layout == "dense" and (p.target == "soma" or p.current_read):
                found.append(Product(f"I[{p.name}]", batch, p.shape[1], p.shape[0], is_mean=False))
        for k, m in enumerate(plan.moments):
            if m.is_product and m.layout == "dense":
                found.append(Product(f"M{k} = E[{m.post} (x) {m.pre}]", m.shape[0], batch, m.shape[1], is_mean=True))
    return found


def floor(circuit: Circuit, batch: int) -> Callable[[], None]:
    """A function that does these products and nothing else."""
    jobs = []
    n = circuit.n_replicas
    for p in products(circuit, batch):
        a = _random(circuit, n, p.inner, p.rows).mT if p.is_mean else _random(circuit, n, p.rows, p.inner)
        b = _random(circuit, n, p.inner, p.columns) if p.is_mean else _random(circuit, n, p.columns, p.inner).mT
        jobs.append((a, b, torch.empty(n, p.rows, p.columns, device=circuit.device, dtype=circuit.dtype)))
    multiply = torch.bmm
    if n == 1:
        jobs, multiply = [(a[0], b[0], out[0]) for a, b, out in jobs], torch.mm

    def run() -> None:
        for a, b, out in jobs:
            multiply(a, b, out=out)

    return run


def _random(circuit: Circuit, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, device=circuit.device, dtype=circuit.dtype)
