"""Slopes that are 1 or 0, written where they are read."""

import numpy as np
import torch

import circuitsim as cs
from circuitsim.engine.gates import with_gates
from motifs import backprop, sal

LAYERS = [6, 5, 4, 3]


def computed(motif: cs.Motif) -> set[str]:
    """The populations whose slope is a tensor of its own."""
    (plan,) = with_gates(cs.compile(motif, device="cpu").plans)
    return {p.name for p in plan.populations.values() if p.computes_slope}


def summed() -> cs.Motif:
    """A slope inside a sum over synapses, which knows it by the rule's name, and one beside it."""
    motif = cs.Motif("summed")
    motif.add(cs.Population("x", 4), cs.Population("y", 3, activation="relu"))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * slope_post * (pre - sum_out(w * slope_post))", eta=0.1))
    return motif


def test_a_slope_that_only_gates_is_not_computed():
    assert computed(sal(LAYERS)) == set() and computed(backprop(LAYERS)) == set()
    assert computed(sal(LAYERS, activation="tanh")) == {"up1", "up2"}  # 1 - tanh^2 is not a gate


def test_a_slope_that_a_sum_reads_is_computed_and_right():
    motif = summed()
    assert computed(motif) == {"y"}
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    w = circuit.weights("W")[0].numpy()
    for _ in range(3):
        x = rng.standard_normal((8, 4))
        circuit.step(x)
        slope = (x @ w.T > 0).astype(float)
        assert 0 < slope.mean() < 1
        w = w + 0.1 * np.einsum("bi,bij->ij", slope, x[:, None, :] - (slope @ w)[:, None, :]) / 8
        np.testing.assert_allclose(circuit.weights("W")[0].numpy(), w, rtol=1e-12, atol=1e-14)


def test_gates_beside_a_slope_that_is_none_are_right():
    """The slope of ``2 relu(drive) - relu(drive - 1)`` is 2, then 1; gates and numbers meet in its products."""
    motif = cs.Motif("kinks")
    motif.add(cs.Population("x", 3), cs.Population("y", 4, activation="2 * relu(drive) - relu(drive - 1)"))
    rule = cs.Rule("eta * slope_post * (drive_post > 0.5) * (drive_post > -1) * pre", eta=0.1)
    motif.connect("x", "y", name="W", rule=rule)
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    w = circuit.weights("W")[0].numpy()
    for _ in range(3):
        x = 2 * rng.standard_normal((16, 3))
        circuit.step(x)
        drive = x @ w.T
        post = (2.0 * (drive > 0) - (drive > 1)) * (drive > 0.5)
        assert set(np.unique(post)) == {0.0, 1.0, 2.0}
        w = w + 0.1 * post.T @ x / 16
        np.testing.assert_allclose(circuit.weights("W")[0].numpy(), w, rtol=1e-12, atol=1e-14)


def test_a_gate_is_closed_at_zero_and_below():
    motif = cs.Motif("gate")
    motif.add(cs.Population("x", 3), cs.Population("y", 3, activation="relu"))
    motif.connect("x", "y", name="W", init=cs.Given(np.eye(3)), rule=cs.Rule("slope_post * pre"))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    circuit.step(torch.tensor([[-2.0, 0.0, 3.0]], dtype=torch.float64))
    change = circuit.weights("W")[0].numpy() - np.eye(3)
    np.testing.assert_array_equal(change, [[0, 0, 0], [0, 0, 0], [-2, 0, 3]])
