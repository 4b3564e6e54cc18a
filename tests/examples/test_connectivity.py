"""Starts of the descending pathways are as declared, and an excitatory one needs assembly."""

import numpy as np
import pytest
import torch

import circuitsim as cs
import connectivity as study
from connectivity import ASSEMBLED, FROZEN, STARTS, Start, make, verdict
from support.circuits import STRONG
from tests.examples.run import assert_written, numbers, run

LAYERS = [12, 8, 6, 4]
KINDS = ("V1", "V2", "Vt1", "Vt2", "Wt1", "Wt2")


def compiled(start, frozen=False, layers=LAYERS, **options):
    return cs.compile(make(start, layers, frozen, 2), replicas=2, device="cpu", **options)


def trained(circuit, steps=3):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        circuit.step(rng.normal(size=(20, LAYERS[0])), rng.integers(0, LAYERS[-1], 20))
    return circuit


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return run(study.Connectivity, tmp_path_factory.mktemp("run"), epochs=40)


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_a_start_with_a_sign_has_only_weights_of_that_sign(sign):
    circuit = compiled(Start(sign))
    for name in KINDS:
        weights = circuit.weights(name)
        assert ((weights > 0) if sign == "positive" else (weights < 0)).all()
    assert (circuit.weights("W1") > 0).any() and (circuit.weights("W1") < 0).any()


def test_a_sparse_start_has_that_share_of_synapses_and_a_narrow_one_that_width():
    sparse = compiled(Start(density=0.15), layers=[20, 80, 80, 10])
    assert sparse.mask("V1").double().mean() == pytest.approx(0.15, abs=0.01)
    assert make(Start(width=0.5), LAYERS, False, 1).population("down1").size == 2


def test_a_wrong_signed_start_delivers_minus_the_transposes_of_the_ascending_weights():
    circuit = compiled(STARTS["wrong-signed"], frozen=True, dtype="float64")
    w = {name: circuit.weights(name).numpy() for name in ("W1", "W2", "V1", "V2", "Wt1", "Wt2")}
    transposed = {name: w[name].swapaxes(1, 2) for name in ("W1", "W2")}
    np.testing.assert_allclose(w["V2"] @ w["Wt2"], -transposed["W2"], atol=1e-12)
    np.testing.assert_allclose(w["V1"] @ w["Wt1"] @ w["Wt2"], -transposed["W1"] @ transposed["W2"], atol=1e-12)


@pytest.mark.parametrize("label", [label for label, start in STARTS.items() if start.dale])
def test_dales_law_is_kept_while_the_circuit_learns(label):
    circuit = trained(compiled(STARTS[label]))
    for name in KINDS:
        assert (circuit.weights(name) >= 0).all()
        if STARTS[label].dale != "alone":
            inhibitory = circuit.weights(f"{name}_inhibitory")
            assert (inhibitory <= 0).all() and (inhibitory < 0).any()


def test_with_strong_balanced_inhibition_the_net_weight_obeys_the_rule_of_the_signed_circuit():
    """While no synapse is at its bound, the net weight of both partners is a leaky average towards twice the target."""
    start = Start("positive", gain=1.0, dale="balanced")
    circuit = compiled(start, dtype="float64", record_changes=True)
    before = {name: circuit.weights(name) for name in ("V1", "V1_inhibitory")}
    trained(circuit, 1)
    tau = circuit.parameters("V1")["tau"]
    target = torch.einsum("rbi,rbj->rij", *(unit(circuit.activity(name)) for name in ("up1", "down1"))) / 20
    for name, w in before.items():
        change = (target - w) / tau
        free = circuit.weights(name) != 0
        assert free.double().mean() > 0.95
        torch.testing.assert_close(circuit.last_change(name)[free], change[free], rtol=1e-6, atol=1e-12)


def unit(activity):
    return activity / activity.square().mean((1, 2), keepdim=True).sqrt()


def test_frozen_feedback_keeps_its_start_of_unit_size():
    circuit = trained(compiled(STARTS["excitatory"], frozen=True))
    start = compiled(STARTS["excitatory"], frozen=True)
    assert all(torch.equal(circuit.weights(name), start.weights(name)) for name in KINDS)
    assert not torch.equal(circuit.weights("W1"), start.weights("W1"))
    assert make(STARTS["excitatory"], LAYERS, True, 1).projection("V1").init.gain == STRONG


def test_a_lesion_removes_that_share_for_good_and_spares_the_ascending_stream():
    circuit = compiled(Start(), layers=[12, 40, 40, 4])
    removed = study.lesion(circuit, 0.5)
    n = 4 * 40 * 40 + 40 * 40 + 40 * 4
    np.testing.assert_allclose(removed / n, 0.5, atol=0.02)
    gone = ~circuit.mask("V1")
    rng = np.random.default_rng(0)
    circuit.step(rng.normal(size=(20, 12)), rng.integers(0, 4, 20))
    assert (circuit.weights("V1")[gone] == 0).all() and circuit.mask("W1").all()


def test_verdicts_follow_the_interval_and_the_reference():
    good, bad = np.array([95.0, 96.0, 95.5]), np.array([50.0, 52.0, 51.0])
    assert verdict(good, bad, 96.0) == "assembly is needed"
    assert verdict(good, good - 3, 96.0) == "assembly helps"
    assert verdict(good, good + np.array([0.1, -0.1, 0.0]), 96.0) == "frozen feedback does as well"
    assert verdict(good, good + np.array([-9.0, 9.0, 0.0]), 96.0) == "undecided with so few seeds"
    assert verdict(good - 3, good, 96.0) == "frozen feedback is better"
    assert verdict(bad, bad[::-1], 96.0) == "neither learns well"
    assert verdict(bad + 10, bad, 96.0) == "neither learns well, but assembly helps"


def test_an_excitatory_start_needs_assembly_and_a_signed_one_does_not(quick):
    accuracy = {label: (quick.accuracy(label, ASSEMBLED), quick.accuracy(label, FROZEN)) for label in quick.starts}
    signed, excitatory = accuracy["signed random"], accuracy["excitatory"]
    assert min(signed[0].min(), signed[1].min(), excitatory[0].min()) > 85
    assert excitatory[1].max() < 70
    (line,) = (line for line in quick.notes().splitlines() if line.startswith("- excitatory:"))
    assert float(line.split()[2]) == pytest.approx((excitatory[0] - excitatory[1]).mean(), abs=0.06)


def test_the_table_has_a_row_for_each_start_and_the_synapses_are_lost_once(quick):
    table = quick.table()
    assert list(table.start) == list(study.QUICK_STARTS)
    first = numbers(table, "test accuracy, %")
    assert first.iloc[0] == pytest.approx(quick.accuracy("signed random", ASSEMBLED).mean(), abs=0.006)
    lost = quick.best["half lesioned midway", ASSEMBLED][1].history.curve("lesioned", "probe")
    assert (lost.to_numpy() > 0).any(axis=1).tolist() == [False, True, False]
    assert_written(quick.setup.out, "connectivity.png", "connectivity.svg")
