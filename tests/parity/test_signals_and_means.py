"""Rules with means over batch and population, signals that the circuit computes, and activities beside traces."""

import warnings

import numpy as np
import pytest

import circuitsim as cs
from tests.parity.lockstep import Opinions, Start, dense, difference

LAYOUTS = {"dense": cs.All(), "one_to_one": cs.OneToOne(), "sparse": cs.Random(0.04)}
RULES = [
    "eta * (mean(tanh(pre) - mean(pre)) + relu(theta)) - 0.01 * w",
    "eta * mean(pre) * w",
    "eta * batch_size / (4 + batch_size) * (slope_post * pre / theta - w)",
    "eta * mean(post)",
    "eta * size * pre",
    "eta * size * post * pre",
    "eta * size * mean(sum_in(w**2)) * w",
    "eta * (size - mean(theta)) * pre + mean(eta)",
    "eta * where(abs(pre) > 0.0291, pre ** -3 * 0.001, activity_pre * sqrt(mean(sum_in(w ** 2)) + 0.1))",
    "eta * minimum(abs(activity_pre), 2 * mean(abs(post)))",
    "eta * minimum(pre, post) * mean(pre)",
    "eta * (minimum(pre, post) * size + pre)",
    "eta * sum_out(pre ** 2) * sqrt(mean(sum_in(w ** 2)) + 0.1)",
    "eta * activity_post * drive_pre * slope_pre * slope_post",
    "eta * size * slope_post * I_W * minimum(4, 0.7 / sqrt(mean((slope_post * I_W) ** 2))) * activity_pre / sum_in(1)",
]


def circuit_of(
    rule: str, layout: str, size: int, replicas: int, signal: str = "sqrt(mean(activity_y**2))"
) -> cs.Circuit:
    motif = cs.Motif("means")
    motif.add(cs.Population("x", size, trace="activity - 0.5 * mean(activity)", activation="tanh"))
    motif.add(cs.Population("y", size, activation="relu", trace="activity / sqrt(mean(activity**2) + 0.1)"))
    motif.add(cs.Signal("size", signal))
    connectivity = LAYOUTS[layout] if size > 1 else cs.All()
    motif.connect("x", "y", name="W", connectivity=connectivity, rule=cs.Rule(rule, eta=0.1, theta=0.3))
    with warnings.catch_warnings(action="ignore"):
        return cs.compile(motif, replicas=replicas, dtype="float64", device="cpu")


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_with_a_mean_changes_weights_as_the_oracle_does(rule, replicas):
    for layout, size in [("dense", 1), ("dense", 7), ("one_to_one", 40), ("sparse", 40)]:
        circuit = circuit_of(rule, layout, size, replicas)
        opinions = Opinions(Start(circuit))
        for batch in (6, 6, 3):
            x = np.random.default_rng(batch).normal(size=(batch, size))
            circuit.step(x)
            for oracle in opinions.oracles:
                oracle.step(x)
        got, expected = dense(circuit.weights("W")), np.stack([oracle.weights["W"] for oracle in opinions.oracles])
        assert np.isfinite(expected).all() and (expected != 0).any()
        assert difference(got, expected) <= 1e-11, (layout, size)


def test_a_computed_signal_that_is_a_number_is_shared_by_all_samples():
    for size in (1, 7):
        circuit = circuit_of("eta * size * pre", "dense", size, 2, signal="sqrt(2.25)")
        start, x = dense(circuit.weights("W")), np.random.default_rng(0).normal(size=(5, size))
        circuit.step(x)
        pre = np.tanh(x) - 0.5 * np.tanh(x).mean()
        expected = start + 0.1 * 1.5 * pre.mean(0)
        np.testing.assert_allclose(dense(circuit.weights("W")), expected, rtol=1e-12)


FAULTY = {
    "mean(pre * post)": "projection 'W': rule: mean(post*pre) depends on both ends of a synapse; mean(...) takes",
    "mean(w)": "projection 'W': rule: mean(w) depends on both ends of a synapse",
}


@pytest.mark.parametrize(("rule", "message"), FAULTY.items())
def test_a_mean_over_both_ends_of_a_synapse_is_refused(rule, message):
    with pytest.raises(cs.MotifError) as caught:
        circuit_of(rule, "dense", 3, 1)
    assert message in str(caught.value)


FAULTY_SIGNALS = {
    "activity_y": "signal 'size': activity_y has one value per neuron and sample; reduce it to one number with mean(",
    "mean(activity_y) * drive_x": "signal 'size': drive_x has one value per neuron",
    "mean(activity_z)": "signal 'size': unknown name 'activity_z'; did you mean 'activity_y'?",
    "mean(activity_y * activity_big)": "of different sizes (activity_big of size 4, activity_y of size 3)",
}


@pytest.mark.parametrize(("expression", "message"), FAULTY_SIGNALS.items())
def test_a_signal_that_is_no_single_number_is_refused(expression, message):
    motif = cs.Motif("signals")
    motif.add(cs.Population("x", 3), cs.Population("y", 3), cs.Population("big", 4), cs.Signal("size", expression))
    motif.connect("x", "y", name="W")
    motif.connect("x", "big", name="B")
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert message in str(caught.value)


def test_a_computed_signal_is_not_given():
    circuit = circuit_of("eta * size * pre", "dense", 3, 1)
    with pytest.raises(cs.DataError, match="signals are given for"):
        circuit.step(np.ones((2, 3)), signals={"size": np.ones(2)})
