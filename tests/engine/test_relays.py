"""Synapses of weight 1 that deliver one to one are not computed, for as long as they are that."""

import numpy as np
import pytest

import circuitsim as cs

X = np.arange(6.0).reshape(2, 3) + 1


@pytest.fixture
def circuit():
    motif = cs.Motif()
    motif.add(cs.Population("x", 3), cs.Population("h", 3), cs.Population("y", 3), cs.Population("z", 2))
    motif.connect("x", "h", name="In", init=cs.Identity())
    motif.connect("h", "y", name="R", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.connect("y", "z", name="W", rule=cs.Rule("eta * I_W * pre", eta=0.1))
    return cs.compile(motif, replicas=2, dtype="float64", device="cpu")


def relayed(circuit):
    circuit.step(X)
    np.testing.assert_array_equal(circuit.current("R"), circuit.activity("y"))
    return circuit.activity("y").numpy()


def test_a_relay_is_read_as_any_other_projection(circuit):
    np.testing.assert_array_equal(relayed(circuit), [X, X])
    assert circuit.synapse("R", post=1, pre=1).weight == 1.0


def test_other_weights_count_at_once_in_the_replica_that_has_them(circuit):
    relayed(circuit)
    circuit.set_weights("R", np.stack([np.eye(3), 2 * np.eye(3)]))
    np.testing.assert_array_equal(relayed(circuit), [X, 2 * X])
    circuit.set_weights("R", np.eye(3))
    np.testing.assert_array_equal(relayed(circuit), [X, X])


def test_what_is_lost_is_not_relayed(circuit):
    relayed(circuit)
    circuit.lesion("h", [1])
    np.testing.assert_array_equal(relayed(circuit), [X * [1, 0, 1]] * 2)


def test_a_replica_that_is_pinned_at_other_weights_relays_by_them(circuit):
    circuit.set_weights("R", 3 * np.eye(3))
    snapshot = circuit.snapshot()
    circuit.set_weights("R", np.eye(3))
    np.testing.assert_array_equal(relayed(circuit), [X, X])
    circuit.pin_replica(1, snapshot)
    np.testing.assert_array_equal(relayed(circuit), [X, 3 * X])
