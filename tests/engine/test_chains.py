"""Means of currents that are not made, against the oracle in NumPy, which makes every current."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import sal, winner_take_all
from tests.parity.test_engine_against_oracle import assert_same_weights, oracles

LAYERS = [6, 5, 4, 3]


def chained(circuit: cs.Circuit) -> set[str]:
    """The projections whose current the last step did not make."""
    found = set()
    for p in circuit.motif.projections:
        try:
            circuit.current(p.name)
        except cs.ParameterError:
            found.add(p.name)
    return found


def heterosynaptic() -> cs.Motif:
    """A current that two rules read."""
    rule = cs.Rule("eta * (pre * post - gamma * w) + 0.01 * I_Vt1 * pre", eta=0.1, gamma=0.1)
    return sal(LAYERS).replace("Vt1", rule=rule)


def batches(n: int, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((size, LAYERS[0])), rng.integers(0, LAYERS[-1], size)) for _ in range(n)]


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("record_changes", [False, True])
@pytest.mark.parametrize(
    "motif",
    [
        sal(LAYERS),
        sal(LAYERS, trace=None, decay="plain"),
        sal(LAYERS, regularizer="homeostatic"),
        winner_take_all(LAYERS),
    ],
    ids=["sal", "sal, plain", "sal, homeostatic", "winner_take_all"],
)
def test_a_step_without_needless_currents_does_what_the_motif_declares(motif, record_changes, replicas):
    options = {"dtype": "float64", "device": "cpu", "replicas": replicas, "record_changes": record_changes}
    circuit = cs.compile(motif, currents="needed", **options)
    opinions = oracles(motif, circuit)
    for x, target in batches(6, 32):
        loss = circuit.step(x, target).loss
        np.testing.assert_allclose(loss.numpy(), [oracle.step(x, target).loss for oracle in opinions], rtol=1e-10)
        assert chained(circuit) == {"Vt1", "Vt2"}
        assert_same_weights(circuit, opinions, 1e-10)


def test_rates_that_vary_do_the_same_with_and_without_the_currents():
    options = {"dtype": "float64", "device": "cpu", "replicas": 3, "vary": {"Wt1.eta": [0.1, 0.2, 0.05]}}
    every, needed = (cs.compile(sal(LAYERS), currents=currents, **options) for currents in ("all", "needed"))
    for x, target in batches(6, 32):
        for circuit in (every, needed):
            circuit.step(x, target)
    assert chained(every) == set() and chained(needed) == {"Vt1", "Vt2"}
    assert torch.isfinite(needed.weights("Wt1")).all()
    torch.testing.assert_close(needed.weights("Wt1"), every.weights("Wt1"), rtol=1e-11, atol=1e-13)


def test_the_order_with_fewer_multiplications_is_taken():
    """At layer 1: h 5, g 4 wide. ``B 5 5 + B 5 4`` multiplications with the current, ``B 5 4 + 5 5 4`` without."""
    circuit = cs.compile(sal(LAYERS), device="cpu", currents="needed")
    for n_samples in (3, 4, 5, 32):
        circuit.step(*batches(1, n_samples)[0])
        assert ("Vt1" in chained(circuit)) == (n_samples * 20 + 100 < n_samples * 45)
        assert ("Vt2" in chained(circuit)) == (n_samples * 12 + 48 < n_samples * 28)


def test_a_current_that_something_else_reads_is_made():
    circuit = cs.compile(heterosynaptic(), device="cpu", currents="needed")
    circuit.step(*batches(1, 32)[0])
    assert chained(circuit) == {"Vt2"}


def test_a_current_that_was_not_made_is_told_and_a_cycle_makes_it():
    circuit = cs.compile(sal(LAYERS), device="cpu", currents="needed")
    x, target = batches(1, 32)[0]
    circuit.step(x, target)
    with pytest.raises(cs.ParameterError, match="the current of 'Vt1' was not made by this step: run circuit.cycle"):
        circuit.current("Vt1")
    circuit.cycle(x, target)
    assert torch.isfinite(circuit.current("Vt1")).all() and circuit.current("Vt1").shape == (1, 32, 5)


def test_an_unknown_choice_of_currents_is_refused():
    with pytest.raises(cs.ParameterError, match="currents must be 'all' or 'needed'"):
        cs.compile(sal(LAYERS), device="cpu", currents="some")
