"""Phases of a step: what a later one finds, by hand."""

import numpy as np
import pytest

import circuitsim as cs
from motifs import paper_sal
from tests.parity.reference import ascend, softmax_error

LAYERS = [7, 6, 5, 4]


def test_a_later_phase_reads_what_an_earlier_one_left_short_term_modulation():
    """The second cycle lets V g of the first reach hidden somata; weights stay; the loss of each phase is reported."""
    gain = 0.3
    motif = paper_sal(LAYERS, trace=None, gain_V=1.0)
    motif.add(cs.Phase("cycle", plastic=[]))
    motif.add(cs.Phase("modulated", soma={"W0": 1, "W1": 1, "W2": 1, "V1": gain, "V2": gain}, plastic=[]))
    circuit = cs.compile(motif, seed=2, dtype="float64", device="cpu")
    w = {p.name: circuit.weights(p.name)[0].numpy() for p in motif.projections}
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((12, LAYERS[0])), rng.integers(0, LAYERS[-1], 12)
    result = circuit.step(x, target)
    h, _ = ascend([w["W0"], w["W1"], w["W2"]], x)
    error, loss = softmax_error(h[-1], target)
    g2 = error @ w["Wt2"].T
    g1 = g2 @ w["Wt1"].T
    h1 = np.maximum(x @ w["W0"].T + gain * g1 @ w["V1"].T, 0)
    h2 = np.maximum(h1 @ w["W1"].T + gain * g2 @ w["V2"].T, 0)
    _, modulated = softmax_error(h2 @ w["W2"].T, target)
    assert np.isfinite(modulated) and abs(modulated - loss) > 1e-6
    np.testing.assert_allclose(result.losses["cycle"].item(), loss, rtol=1e-12)
    np.testing.assert_allclose(result.losses["modulated"].item(), modulated, rtol=1e-12)
    assert result.loss is result.losses["cycle"]
    assert all(np.array_equal(w[name], circuit.weights(name)[0].numpy()) for name in w)


def test_what_nothing_has_driven_yet_is_silent_its_trace_too():
    motif = cs.Motif("dark")
    motif.add(cs.Population("x", 3, trace="1 + activity"), cs.Population("y", 2))
    motif.connect("x", "y", name="W", rule=cs.Rule("0.1 * pre"), init=cs.Constant(0.5))
    motif.add(cs.Phase("dark", inputs=[]))
    with pytest.raises(cs.MotifError, match="no phase receives an input"):
        motif.validate()
    motif.add(cs.Phase("light"))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    circuit.step(np.ones((4, 3)))
    np.testing.assert_allclose(circuit.weights("W"), 0.7, rtol=1e-15)  # 0.1 * 0 in the dark, 0.1 * 2 in the light


def test_the_error_of_an_output_that_nothing_has_driven_yet():
    motif = cs.Motif("late")
    motif.add(cs.Population("x", 3), cs.Population("y", 2), cs.Population("error", 2, "descending"))
    motif.add(cs.Objective("y", "error", "mse"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), plastic=False)
    motif.add(cs.Phase("dark", soma=[]), cs.Phase("light"))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    losses = circuit.step(np.ones((4, 3)), np.ones((4, 2))).losses
    assert {name: loss.item() for name, loss in losses.items()} == {"dark": 1.0, "light": 0.25}  # sum of (1 - y)^2 / 2


def test_a_weight_may_be_tied_to_one_that_is_silent_in_a_phase():
    motif = cs.Motif("tied")
    motif.add(cs.Population("x", 3), cs.Population("y", 3), cs.Population("z", 3))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), plastic=False)
    motif.connect("y", "z", name="U", tied_to=cs.Derived("W", scale=2.0))
    motif.add(cs.Phase("first"), cs.Phase("second", soma=["U"]))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    circuit.step(np.ones((1, 3)))
    np.testing.assert_allclose(circuit.activity("z"), 4.5, rtol=1e-15)  # y keeps 1.5 where W is silent
