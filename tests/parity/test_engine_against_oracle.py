"""The engine against a slow second opinion in NumPy: any motif, both streams, every rule, several steps."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import circuitsim as cs
from tests.oracle import Oracle, Result, declared_mask
from tests.strategies import batches, motifs

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")

REPLICAS = 2
BOUNDED = 1e3  # beyond it a trajectory runs away, and rounding with it


def compiled(motif: cs.Motif, seed: int = 0, record_changes: bool = True) -> cs.Circuit:
    """Two replicas in float64."""
    return cs.compile(motif, replicas=REPLICAS, seed=seed, device="cpu", dtype="float64", record_changes=record_changes)


def oracles(motif: cs.Motif, circuit: cs.Circuit) -> list[Oracle]:
    """One for each replica, from the state of the circuit."""
    names = [p.name for p in motif.projections]
    weights = {name: circuit.weights(name).to_dense().numpy() for name in names}
    masks = {name: circuit.mask(name).to_dense().numpy() for name in names}
    return [
        Oracle(motif, {n: w[r] for n, w in weights.items()}, {n: m[r] for n, m in masks.items()}, replica=r)
        for r in range(circuit.n_replicas)
    ]


def of_replica(values: Any, r: int) -> Any:
    """What replica r sees of an input or target that may be a dict, and may have a replica axis (`PerReplica`)."""
    if isinstance(values, dict):
        return {name: of_replica(value, r) for name, value in values.items()}
    return values[r] if isinstance(values, PerReplica) else values


class PerReplica(np.ndarray):
    """An array whose first axis is the replica."""


def per_replica(a: Any, b: Any) -> Any:
    """Two batches of equal size, one for each replica."""
    if isinstance(a, dict):
        return {name: per_replica(a[name], b[name]) for name in a}
    return None if a is None else np.stack([a, b]).view(PerReplica)


def assert_close(got: Any, expected: np.ndarray, tolerance: float, what: str) -> None:
    """Equal, relative to the largest number of the expected array; finite first."""
    got = np.asarray(got)
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert np.isfinite(expected).all(), f"{what}: the oracle is not finite"
    assert np.isfinite(got).all(), f"{what}: the engine is not finite"
    scale = max(1e-3, np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def assert_same_cycle(circuit: cs.Circuit, loss: Any, results: list[Result], tolerance: float) -> None:
    """Activities, drives, currents and loss of the last cycle."""
    motif = circuit.motif
    for r, result in enumerate(results):
        for p in motif.populations:
            assert_close(circuit.activity(p.name)[r], result.activity[p.name], tolerance, f"activity {p.name}")
        for q in motif.projections:
            assert_close(circuit.current(q.name)[r], result.current[q.name], tolerance, f"current {q.name}")
        if motif.objectives:
            assert_close(loss[r], np.array(result.loss), tolerance, "loss")
        else:
            assert loss is None


def assert_same_weights(circuit: cs.Circuit, opinions: list[Oracle], tolerance: float) -> None:
    for p in circuit.motif.projections:
        for r, oracle in enumerate(opinions):
            assert_close(circuit.weights(p.name).to_dense()[r], oracle.weights[p.name], tolerance, f"weights of {p}")


def bounded(opinions: list[Oracle]) -> bool:
    return all(np.abs(w).max(initial=0.0) < BOUNDED for oracle in opinions for w in oracle.weights.values())


def plain(values: Any) -> Any:
    """Without the mark `PerReplica`, as a user would give it."""
    if isinstance(values, dict):
        return {name: plain(value) for name, value in values.items()}
    return None if values is None else np.asarray(values)


@settings(max_examples=20)  # tests/parity/test_guards.py draws more, and richer ones
@given(st.data())
def test_any_motif_does_what_it_declares(data):
    motif = data.draw(motifs(replicas=REPLICAS))
    n_samples = data.draw(st.integers(1, 4))
    steps = [data.draw(batches(motif, n_samples)) for _ in range(3)]
    if data.draw(st.booleans()):
        others = [data.draw(batches(motif, n_samples)) for _ in range(3)]
        steps = [(per_replica(a, c), per_replica(b, d)) for (a, b), (c, d) in zip(steps, others, strict=True)]
    circuit = compiled(motif, seed=data.draw(st.integers(0, 99)), record_changes=data.draw(st.booleans()))
    opinions = oracles(motif, circuit)
    assert_same_weights(circuit, opinions, 1e-15)  # ties hold from the start
    for k, (x, target) in enumerate(steps):
        tolerance = 1e-12 if k == 0 else 1e-10
        loss = circuit.step(plain(x), plain(target)).loss
        results = [o.step(of_replica(x, r), of_replica(target, r)) for r, o in enumerate(opinions)]
        if not bounded(opinions):
            break
        assert_same_cycle(circuit, loss, results, tolerance)
        assert_same_weights(circuit, opinions, tolerance)


@settings(max_examples=15)
@given(st.data())
def test_the_change_that_is_recorded_is_the_mean_of_the_rule(data):
    motif = data.draw(motifs(replicas=REPLICAS))
    x, target = data.draw(batches(motif))
    circuit = compiled(motif)
    results = [oracle.step(x, target) for oracle in oracles(motif, circuit)]
    circuit.step(x, target)
    for p in motif.projections:
        for r, result in enumerate(results):
            if p.is_plastic and p.bounds is None:
                assert_close(circuit.last_change(p.name).to_dense()[r], result.change[p.name], 1e-12, f"change of {p}")


@settings(max_examples=15)
@given(st.data())
def test_the_scale_of_eta_reaches_every_rule(data):
    motif = data.draw(motifs(replicas=REPLICAS))
    x, target = data.draw(batches(motif))
    circuit = compiled(motif, record_changes=False)
    opinions = oracles(motif, circuit)
    circuit.eta_scale = 0.37
    circuit.step(x, target)
    for oracle in opinions:
        oracle.step(x, target, eta_scale=0.37)
    assert_same_weights(circuit, opinions, 1e-12)


@settings(max_examples=20)
@given(st.data())
def test_synapses_exist_where_they_are_declared(data):
    motif = data.draw(motifs(replicas=REPLICAS))
    circuit = compiled(motif)
    for p in motif.projections:
        mask, weights = circuit.mask(p.name).to_dense().numpy(), circuit.weights(p.name).to_dense().numpy()
        assert (weights[~mask] == 0).all()
        declared = declared_mask(motif, p.name)
        if declared is not None:
            assert (mask == declared).all(), p.name
        if isinstance(p.connectivity, cs.ReciprocalOf):
            partner = circuit.mask(p.connectivity.projection).to_dense().numpy()
            assert (mask == partner.transpose(0, 2, 1)).all(), p.name


def sal(gated: bool) -> cs.Motif:
    """Liao et al. (2024), equations 1, 2 and 5 to 8, written out for two hidden layers and a bias."""
    motif = cs.Motif("sal")
    motif.add(cs.Population("up0", 6), cs.Bias("bias"))
    motif.add(cs.Population("up1", 5, activation="relu"), cs.Population("up2", 4, activation="relu"))
    motif.add(cs.Population("up3", 3), cs.Population("down3", 3, stream="descending"))
    motif.add(cs.Population("down2", 7, stream="descending"), cs.Population("down1", 2, stream="descending"))
    gate = "slope_post * " if gated else ""
    for k in range(3):
        rule = cs.Rule(f"eta * ({gate}I_V{k + 1} * pre - gamma * w)", eta=0.05, gamma=1e-2)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule)
        motif.connect("bias", f"up{k + 1}", name=f"b{k}", rule=rule, init=cs.Constant(0.0))
    hebb = cs.Rule("eta * (post * pre - gamma * w)", eta=0.05, gamma=1e-2)
    for k in (1, 2):
        motif.connect(f"down{k}", f"up{k}", name=f"V{k}", compartment="dendrite", rule=hebb)
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", compartment="dendrite", rule=hebb)
        rule = cs.Rule(f"eta * (I_Vt{k} * pre - gamma * w)", eta=0.02, gamma=1e-2)
        motif.connect(f"down{k + 1}", f"down{k}", name=f"Wt{k}", rule=rule, init=cs.Gaussian(scaling="fan_out"))
    motif.connect("down3", "up3", name="V3", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.add(cs.Objective(output="up3", error="down3", loss="cross_entropy"))
    return motif


@pytest.mark.parametrize("record_changes", [False, True])
@pytest.mark.parametrize("gated", [False, True])
def test_self_assembling_learning_agrees_over_fifty_steps(gated, record_changes):
    motif = sal(gated)
    circuit = compiled(motif, record_changes=record_changes)
    opinions = oracles(motif, circuit)
    start = {p.name: circuit.weights(p.name).to_dense().numpy() for p in motif.projections}
    random = np.random.default_rng(0)
    for _ in range(50):
        x, target = random.normal(size=(8, 6)), random.integers(3, size=8)
        loss = circuit.step(x, target).loss
        results = [oracle.step(x, target) for oracle in opinions]
        assert_same_cycle(circuit, loss, results, 1e-10)
    assert_same_weights(circuit, opinions, 1e-10)
    for p in motif.projections:
        assert (np.abs(circuit.weights(p.name).to_dense().numpy() - start[p.name]).max() > 1e-3) == p.is_plastic, p.name
