"""Means of currents that are not made, against the same circuit that makes them."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import sal, winner_take_all

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
def test_a_step_without_needless_currents_is_the_same_step(motif, record_changes, replicas):
    vary = None if replicas == 1 else {"Wt1.eta": [0.1, 0.2, 0.05]}
    options = {
        "dtype": "float64",
        "device": "cpu",
        "replicas": replicas,
        "vary": vary,
        "record_changes": record_changes,
    }
    every, needed = (cs.compile(motif, currents=currents, **options) for currents in ("all", "needed"))
    for x, target in batches(6, 32):
        losses = [circuit.step(x, target).loss for circuit in (every, needed)]
        torch.testing.assert_close(losses[1], losses[0], rtol=1e-12, atol=0.0)
    assert chained(every) == set() and chained(needed) == {"Vt1", "Vt2"}
    for p in motif.projections:
        ours, theirs = needed.weights(p.name), every.weights(p.name)
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


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
