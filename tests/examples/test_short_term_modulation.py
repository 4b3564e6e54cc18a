"""Short-term modulation: the second cycle is its formula, and helps after assembly."""

import numpy as np
import pytest
import torch

import circuitsim as cs
import short_term_modulation as study
from circuitsim.data import Split
from motifs import paper_sal
from tests.examples.run import assert_written, numbers, run

LAYERS = [6, 7, 5, 4]


def losses(W, V, g, x, target, gain):
    """Cross-entropy of each sample in NumPy, with gain V g at the somata of hidden neurons."""
    h = x
    for k, w in enumerate(W):
        drive = h @ w.T
        if k < len(W) - 1:
            drive = np.maximum(drive + gain * g[k] @ V[k].T, 0)
        h = drive
    shifted = h - h.max(1, keepdims=True)
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(x)), target], h


@pytest.mark.parametrize("gain", [0.1, 20.0])
def test_the_second_cycle_adds_gain_V_g_to_hidden_somata_only(gain):
    motif = paper_sal(LAYERS, gain_V=1.0)
    start = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    weights = {p.name: start.weights(p.name).numpy() for p in motif.projections}
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((40, 6)), rng.integers(0, 4, 40)
    falls, first, change = study.modulation(motif, weights, gain, Split(torch.tensor(x), torch.tensor(target)))
    for r in range(2):
        W, V, Wt = ([weights[f"{k}{i}"][r] for i in n] for k, n in (("W", (0, 1, 2)), ("V", (1, 2)), ("Wt", (1, 2))))
        before, output = losses(W, V, [np.zeros((40, 7)), np.zeros((40, 5))], x, target, 0.0)
        p = np.exp(output - output.max(1, keepdims=True))
        error = np.eye(4)[target] - p / p.sum(1, keepdims=True)
        g2 = error @ Wt[1].T
        after, _ = losses(W, V, [g2 @ Wt[0].T, g2], x, target, gain)
        assert (after < before).any() and (gain < 1 or (after > before).any())
        np.testing.assert_allclose(falls[r], (after < before).mean())
        np.testing.assert_allclose([first[r], change[r]], [before.mean(), (after - before).mean()], rtol=1e-10)


def test_nothing_is_plastic_in_either_phase():
    motif = study.modulated(paper_sal(LAYERS), 0.3)
    circuit = cs.compile(motif, device="cpu")
    before = {p.name: circuit.weights(p.name) for p in motif.projections}
    circuit.step(np.ones((3, 6)), np.array([0, 1, 2]))
    assert all(torch.equal(circuit.weights(name), value) for name, value in before.items())


def test_a_small_gain_helps_after_assembly_far_more_often_than_before(tmp_path):
    found = run(study.ShortTermModulation, tmp_path)
    table = found.table()
    share = numbers(table.set_index(["circuit", "gain"]), "inputs whose loss falls, %")
    assert len(share) == 9
    for gain in ("0.001", "0.03"):
        assert share[study.AFTER, gain] > 95
        assert 25 < share[study.BEFORE, gain] < 75
    assert (numbers(table[table.circuit == study.AFTER], "mean change of the loss") < 0).all()
    stated = float(found.notes().split(" % after assembly")[0].split()[-1])
    assert stated == pytest.approx(share[study.AFTER, "0.001"], abs=0.06)
    assert_written(tmp_path, "modulation.png")


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "bce"])
def test_the_loss_of_a_sample_is_the_one_that_the_circuit_descends(loss):
    data = np.random.default_rng(0).standard_normal((5, 6))
    target = np.array([0, 3, 1, 2, 2])
    target = target if loss == "cross_entropy" else np.eye(4)[target]
    circuit = cs.compile(paper_sal(LAYERS, loss=loss), replicas=2, dtype="float64", device="cpu")
    expected = cs.evaluate(circuit, (data, target))["loss"]
    found = study.losses(circuit.predict(data), torch.as_tensor(target), loss)
    assert found.shape == (2, 5)
    np.testing.assert_allclose(found.mean(1), expected, rtol=1e-12)
