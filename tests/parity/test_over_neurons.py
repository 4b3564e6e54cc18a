"""Reductions over a population, for each sample: closed forms, slopes, and two circuits of the literature."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from tests.parity.lockstep import Opinions, Start, dense, difference


def circuit_of(activation: str, n: int = 5, rule: str = "eta * slope_post * pre", **options) -> cs.Circuit:
    motif = cs.Motif("lateral")
    motif.add(cs.Population("x", n), cs.Population("y", n, activation=activation, **options))
    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity()}
    motif.connect("x", "y", name="W", rule=rule, parameters={"eta": 1.0}, **one_to_one)
    return cs.compile(motif, dtype="float64", device="cpu", record_changes=True)


def activity(expression: str, x: np.ndarray) -> np.ndarray:
    """Of neurons whose drive is x."""
    circuit = circuit_of(expression, x.shape[1])
    circuit.step(x)
    return circuit.activity("y")[0].numpy()


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("n", [1, 5, 20])
@pytest.mark.parametrize("batch", [1, 3, 40])
def test_reductions_are_numpys(n, batch):
    x = np.random.default_rng(0).normal(size=(batch, n))
    ones = np.ones((1, n))
    for expression, expected in {
        "sum(drive)": x.sum(1, keepdims=True) * ones,
        "max(drive)": x.max(1, keepdims=True) * ones,
        "norm(drive)": np.linalg.norm(x, axis=1, keepdims=True) * ones,
        "softmax(drive)": softmax(x),
        "rank(drive)": (x[:, None, :] > x[:, :, None]).sum(2),
        "sum(0.3) + 0 * drive": np.full((batch, n), 0.3 * n),
        "softmax(0) + 0 * drive": np.full((batch, n), 1 / n),
        "drive / (1 + sum(abs(drive - max(drive) * softmax(drive))))": x
        / (1 + np.abs(x - x.max(1, keepdims=True) * softmax(x)).sum(1, keepdims=True)),
    }.items():
        found = activity(expression, x)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14, err_msg=expression)


def test_softmax_does_not_overflow():
    found = activity("softmax(1e4 * drive)", np.array([[1.0, 3.0, 2.0], [-900.0, -1000.0, -900.0]]))
    np.testing.assert_array_equal(found, [[0, 1, 0], [0.5, 0, 0.5]])


def test_equal_neurons_are_ranked_by_index():
    x = np.array([[2.0, 3.0, 2.0, 3.0, 0.0, -0.0], [0.0] * 6])
    np.testing.assert_array_equal(activity("rank(drive)", x), [[2, 0, 3, 1, 4, 5], [0, 1, 2, 3, 4, 5]])


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        ("relu(drive - 0.3 * sum(drive))", lambda x: x > 0.3 * x.sum(1, keepdims=True)),
        ("drive / (1 + norm(drive))", lambda x: 1 / (1 + np.linalg.norm(x, axis=1, keepdims=True)) + 0 * x),
        ("drive * max(drive)", lambda x: x.max(1, keepdims=True) + 0 * x),
        ("drive * (rank(drive) < 2)", lambda x: (x[:, None, :] > x[:, :, None]).sum(2) < 2),
        ("softmax(2 * drive)", lambda x: 2 * softmax(2 * x)),  # of exp(2 x) over a normaliser that is held fixed
    ],
)
def test_a_slope_holds_what_neurons_share_fixed(activation, slope):
    x = np.random.default_rng(0).normal(size=(4, 5))
    circuit = circuit_of(activation)
    circuit.step(x)
    change = circuit.last_change("W")[0].numpy().diagonal()
    np.testing.assert_allclose(change, (slope(x) * x).mean(0), rtol=1e-12)


def test_reductions_in_traces_and_states():
    trace, update = "activity / norm(activity) - mean(max(activity))", "0.5 * s + softmax(activity) * sum(s)"
    circuit = circuit_of("linear", trace=trace, state={"s": cs.State(update, start=0.1)}, rule="eta * post")
    x = np.random.default_rng(0).normal(size=(4, 5))
    circuit.step(x)
    expected = x / np.linalg.norm(x, axis=1, keepdims=True) - x.max(1).mean()
    np.testing.assert_allclose(circuit.last_change("W")[0].numpy().diagonal(), expected.mean(0), rtol=1e-12)
    np.testing.assert_allclose(circuit.state("y", "s")[0].numpy(), 0.05 + 0.5 * softmax(x).mean(0), rtol=1e-12)


def test_gradients_are_those_of_autograd_with_all_that_neurons_share():
    motif = cs.Motif("soft")
    motif.add(cs.Population("x", 4), cs.Population("y", 5, activation="softmax(drive) * norm(drive) + rank(drive)"))
    motif.add(cs.Population("out", 3, activation="drive - max(drive) + sum(drive)"))
    motif.add(cs.Population("e", 3, stream="descending"), cs.Objective("out", "e", loss="mse"))
    motif.connect("x", "y", name="W0")
    motif.connect("y", "out", name="W1")
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    x, target = torch.tensor(rng.normal(size=(6, 4))), torch.tensor(rng.normal(size=(6, 3)))
    w = [circuit.weights(f"W{k}")[0].clone().requires_grad_() for k in (0, 1)]
    d = x @ w[0].T
    rank = (d.unsqueeze(1) > d.unsqueeze(2)).sum(2)
    out = (d.softmax(1) * (d**2).sum(1, keepdim=True).sqrt() + rank) @ w[1].T
    out = out - out.max(1, keepdim=True).values + out.sum(1, keepdim=True)
    gradients = torch.autograd.grad(((out - target) ** 2).sum(1).mean() / 2, w)
    for k, gradient in enumerate(gradients):
        torch.testing.assert_close(cs.loss_gradients(circuit, x, target)[f"W{k}"][0], gradient, rtol=1e-11, atol=1e-13)


def test_a_krotov_hopfield_circuit():
    """The winner learns, the neuron of rank k unlearns a little: Krotov & Hopfield (2019), equations 1 and 9."""
    motif = cs.Motif("krotov_hopfield")
    motif.add(cs.Population("x", 6), cs.Population("y", 5, trace="(rank(drive) == 0) - 0.4 * (rank(drive) == 2)"))
    motif.connect("x", "y", name="W", rule="eta * post * (pre - I_W * w)", parameters={"eta": 0.1})
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    w, rng = circuit.weights("W")[0].numpy().copy(), np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=(8, 6))
        circuit.step(x)
        change = np.zeros_like(w)
        for v in x:
            current = w @ v
            order = np.argsort(current)[::-1]
            for neuron, g in ((order[0], 1.0), (order[2], -0.4)):
                change[neuron] += g * (v - current[neuron] * w[neuron])
        w = w + 0.1 * change / 8
    np.testing.assert_allclose(circuit.weights("W")[0].numpy(), w, rtol=1e-11)


def test_a_softhebb_circuit_agrees_with_the_oracle_in_both_precisions():
    """``eta y (x - u w)`` with y = softmax(u): Moraitis et al. (2022), equation 4."""
    motif = cs.Motif("softhebb")
    motif.add(cs.Population("x", 6), cs.Population("y", 5, activation="softmax(4 * drive)"))
    motif.connect("x", "y", name="W", rule="eta * post * (pre - drive_post * w)", parameters={"eta": 0.2})
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        circuit = cs.compile(motif, replicas=2, dtype=dtype, device="cpu")
        opinions, rng = Opinions(Start(circuit)), np.random.default_rng(0)
        for _ in range(10):
            x = rng.normal(size=(17, 6)).astype(dtype)
            circuit.step(x)
            for oracle in opinions.oracles:
                oracle.step(x)
        expected = np.stack([oracle.weights["W"] for oracle in opinions.oracles])
        assert difference(dense(circuit.weights("W")), expected) <= tolerance


def test_a_signal_takes_means_and_a_rule_sums_over_synapses():
    motif = circuit_of("drive").motif
    motif.add(cs.Signal("size", "norm(activity_y)"))
    with pytest.raises(cs.MotifError, match=r"signal 'size': unknown function 'norm' \(known: .*mean"):
        motif.validate()
    with pytest.raises(cs.MotifError, match="projection 'W': rule: unknown function 'softmax'"):
        circuit_of("drive", rule="eta * softmax(post)")
