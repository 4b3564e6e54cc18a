"""Is the exported network the same circuit? Finite first, then equal relative to the largest number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import circuitsim as cs
from circuitsim.export import RateNetwork


def compiled(motif: cs.Motif, replicas: int = 1, seed: int = 3) -> cs.Circuit:
    return cs.compile(motif, replicas=replicas, seed=seed, dtype="float64", device="cpu", record_changes=True)


def difference(got: Any, expected: Any, what: str) -> float:
    """The largest difference, relative to the largest number expected (or a thousandth, if all are smaller)."""
    got, expected = (x.to_dense() if isinstance(x, torch.Tensor) else x for x in (got, expected))
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert np.isfinite(expected).all(), f"{what}: the circuit is not finite"
    assert np.isfinite(got).all(), f"{what}: Brian2 is not finite"
    return float(np.abs(got - expected).max(initial=0.0) / max(1e-3, np.abs(expected).max(initial=0.0)))


def assert_same_weights(net: RateNetwork, circuit: cs.Circuit, tolerance: float, replica: int = 0) -> None:
    for p in circuit.motif.projections:
        found = difference(net.weights(p.name), circuit.weights(p.name)[replica], f"weights of {p.name}")
        assert found <= tolerance, f"weights of {p}: {found:.1e}"


def assert_same_cycle(net: RateNetwork, circuit: cs.Circuit, tolerance: float, replica: int = 0) -> None:
    """Activities and currents of the last batch."""
    for p in circuit.motif.populations:
        found = difference(net.activity(p.name), circuit.activity(p.name)[replica], f"activity of {p.name}")
        assert found <= tolerance, f"activity of {p}: {found:.1e}"
    for q in circuit.motif.projections:
        found = difference(net.current(q.name), circuit.current(q.name)[replica], f"current of {q.name}")
        assert found <= tolerance, f"current of {q}: {found:.1e}"


def assert_same_step(
    net: RateNetwork,
    circuit: cs.Circuit,
    x: Any,
    target: Any,
    signals: Any = None,
    tolerance: float = 1e-12,
    replica: int = 0,
) -> None:
    """One step of both, from the same state: loss, cycle, changes, weights, states."""
    before = {p.name: net.weights(p.name) for p in circuit.plan.plastic()}
    loss, expected = net.step(x, target, signals), circuit.step(x, target, signals, keep="all").loss
    if expected is None:
        assert loss is None
    else:
        assert difference(loss, expected[replica], "loss") <= tolerance
    assert_same_cycle(net, circuit, tolerance, replica)
    assert_same_weights(net, circuit, tolerance, replica)
    for owner in (*circuit.motif.populations, *circuit.motif.projections):
        for name in owner.state:
            found = difference(net.state(owner.name, name), circuit.state(owner.name, name)[replica], f"state {name}")
            assert found <= tolerance, f"state {name} of {owner}: {found:.1e}"
    for name, weights in before.items():
        found = difference(net.weights(name) - weights, circuit.last_change(name)[replica], f"change of {name}")
        assert found <= tolerance, f"change of {circuit.motif.projection(name)}: {found:.1e}"
