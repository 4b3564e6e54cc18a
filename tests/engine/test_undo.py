"""A drive that the step wrote over is computed from the weights before their change, or refused if they are lost."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plan.passes import rematerialization

PRESENT = np.array([[1, 0, 1, 1], [1, 1, 0, 1]])
X = np.random.default_rng(0).uniform(size=(5, 3))
UNDONE = {
    "a number": "0.02",
    "a product": "0.05 * post * pre",
    "a product and a decay": "0.05 * post * pre - 0.3 * w",
    "a sum of terms": "0.05 * post * pre + 0.02 * w**2 + 0.01 - 0.3 * w",
}
LOST = {
    "decayed so much": "-0.7 * w",
    "changed so much": "50",
    "has been assigned a new value": "0.1 * s",
}


@pytest.fixture(autouse=True)
def written_over(monkeypatch):
    """Activities are written over drives of any size."""
    monkeypatch.setattr(rematerialization, "LARGE", 0)


def stepped(rule: str, phases: int = 1, pinned: tuple[int, ...] = (), **options):
    """A circuit after a step, the drive of z computed from the weights before it, and the weights of U before it."""
    motif = cs.Motif("written over")
    motif.add(cs.Population("x", 3), cs.Population("y", 4, activation="relu"), cs.Population("z", 2, activation="relu"))
    motif.connect("x", "y", name="W", init=cs.Uniform(0.1, 0.9))
    motif.connect("y", "z", name="U", init=cs.Uniform(0.2, 0.9), rule=rule, **options)
    if phases == 2:
        motif.add(cs.Phase("first"), cs.Phase("then", soma=[]))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    for replica in pinned:
        circuit.pin_replica(replica)
    W, U = (circuit.weights(name).numpy() for name in ("W", "U"))
    circuit.step(X)
    assert "z.drive" not in circuit._runner.last.program.readable, "the drive was kept, so nothing is undone"
    return circuit, X @ W.transpose(0, 2, 1) @ U.transpose(0, 2, 1), U


@pytest.mark.parametrize("connectivity", [cs.All(), cs.Mask(PRESENT)], ids=["all", "mask"])
@pytest.mark.parametrize("pinned", [(), (1,)], ids=["free", "pinned"])
@pytest.mark.parametrize("phases", [1, 2])
@pytest.mark.parametrize("rule", UNDONE.values(), ids=UNDONE)
def test_the_drive_is_that_of_the_weights_before_the_step(rule, phases, pinned, connectivity):
    circuit, expected, before = stepped(rule, phases, pinned, connectivity=connectivity)
    changed = circuit.weights("U").numpy() != before
    assert changed[0].any() and changed[1].any() == (not pinned)
    np.testing.assert_allclose(circuit.drive("z").numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("reason", "rule"), LOST.items())
def test_a_drive_whose_weights_are_lost_is_refused_and_can_be_kept(reason, rule):
    state = {"s": cs.State("0.5 * s + pre", start=1.0)}
    circuit, expected, _ = stepped(rule, state=state)
    with pytest.raises(cs.ParameterError, match=f"drive of 'z'.*cannot be computed now: .*{reason}.*keep="):
        circuit.drive("z")
    again = cs.compile(circuit.motif, replicas=2, dtype="float64", device="cpu")
    again.step(X, keep=["z"])
    np.testing.assert_allclose(again.drive("z").numpy(), expected, rtol=1e-12)


def test_a_drive_through_tied_weights_is_refused_once_their_source_has_changed():
    motif = cs.Motif("tied")
    motif.add(cs.Population("x", 3), cs.Population("y", 3, activation="relu"), cs.Population("z", 3, activation="relu"))
    motif.connect("x", "y", name="W", init=cs.Uniform(0.1, 0.9), rule="0.1 * post * pre")
    motif.connect("y", "z", name="T", tied_to=cs.Derived("W", transpose=True))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    W = circuit.weights("W").numpy()
    circuit.step(X)
    with pytest.raises(cs.ParameterError, match="drive of 'z'.*cannot be computed now: W:w has changed since it was"):
        circuit.drive("z")
    circuit.set_weights("W", W)
    circuit.freeze("W")
    circuit.step(X)
    np.testing.assert_allclose(circuit.drive("z").numpy(), X @ W.transpose(0, 2, 1) @ W, rtol=1e-12)
