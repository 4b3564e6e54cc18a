"""A circuit can be copied, pickled and sent to another process, and goes on there as it would have here."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal, weight_mirror

LAYERS = [6, 5, 3]
COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda circuit: pickle.loads(pickle.dumps(circuit)),
}


def batch(k: int):
    rng = np.random.default_rng(k)
    return rng.standard_normal((8, 6)), rng.integers(0, 3, 8)


def rich_motif() -> cs.Motif:
    """States of neurons and of synapses, few synapses, a decay that float32 cannot hold."""
    motif = (
        paper_sal(LAYERS).replace("V1", connectivity=cs.Random(0.6)).replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    )
    motif = motif.replace("up1", state={"theta": cs.State("theta + (activity**2 - theta) / 5")})
    rule = cs.Rule("eta * (slope_post * I_V1 * pre + 0.1 * e) - 1e-8 * w - theta_post * w / 100", eta=0.1)
    motif = motif.replace("W0", rule=rule, state={"e": cs.State("0.9 * e + post * pre / 10")})
    motif.add(cs.Population("side", size=5, activation="tanh"))
    motif.connect("up1", "side", name="S", connectivity=cs.OneToOne(), rule=cs.Rule("0.1 * (post * pre - w)"))
    return motif


def rich(**options) -> cs.Circuit:
    """A circuit with everything that it can have."""
    circuit = cs.compile(
        rich_motif(), replicas=3, seed=4, device="cpu", vary={"W0.eta": [0.1, 0.2, 0.3]}, record_changes=True, **options
    )
    for k in range(3):
        circuit.step(*batch(k))
    circuit.prune("W1", 0.2)
    circuit.freeze("Wt1")
    circuit.pin_replica(2, circuit.snapshot())
    circuit.eta_scale = 0.5
    circuit.step(*batch(3))
    return circuit


def noisy() -> cs.Circuit:
    circuit = cs.compile(weight_mirror(LAYERS), replicas=2, seed=1, device="cpu")
    circuit.step(*batch(0))
    return circuit


def everything_of(circuit: cs.Circuit) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in circuit.store.tensors().items()}


def assert_same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> None:
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("make", [rich, lambda: rich(dtype="float64"), noisy])
def test_a_copy_has_all_that_the_circuit_has_and_goes_on_bit_for_bit(make, how):
    circuit = make()
    other = COPIES[how](circuit)
    assert type(other) is cs.Circuit and repr(other) == repr(circuit) and other.motif == circuit.motif
    for name in ("n_steps", "eta_scale", "pinned", "frozen", "vary", "device", "dtype"):
        assert getattr(other, name) == getattr(circuit, name), name
    for p in circuit.motif.projections:
        assert str(other.parameters(p.name)) == str(circuit.parameters(p.name))
    assert_same(everything_of(other), everything_of(circuit))
    for k in range(5, 9):
        one, two = circuit.step(*batch(k)).loss, other.step(*batch(k)).loss
        assert torch.isfinite(one).all() and torch.equal(one, two)
    assert_same(everything_of(other), everything_of(circuit))
    assert other.n_steps == circuit.n_steps
    if circuit.frozen:
        assert torch.equal(other.last_change("W0"), circuit.last_change("W0"))


@pytest.mark.parametrize("how", COPIES)
def test_what_happens_to_a_copy_does_not_happen_to_the_circuit(how):
    circuit = rich()
    before, other = everything_of(circuit), COPIES[how](circuit)
    other.step(*batch(7))
    other.prune("W0", 0.3)
    other.release_replica(2)
    other.set_weights("Wt1", torch.ones(5, 3))
    other.thaw("Wt1")
    other.eta_scale = 1.0
    assert_same(everything_of(circuit), before)
    assert circuit.frozen == {"Wt1"} and circuit.eta_scale == 0.5 and circuit.n_steps == 4


def test_a_circuit_that_ran_away_can_be_copied_to_be_looked_at():
    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    circuit.values("W0")[0, 1, 2] = torch.nan
    other = copy.deepcopy(circuit)
    assert torch.equal(other.weights("W0").isnan(), circuit.weights("W0").isnan())
    with pytest.raises(cs.SimulationDiverged):
        other.check()


def trained(circuit: cs.Circuit) -> cs.Circuit:
    for k in range(5, 8):
        circuit.step(*batch(k))
    return circuit


def diverged(circuit: cs.Circuit) -> None:
    circuit.set_weights("W0", torch.stack([torch.full((5, 6), 1e5)] * 2 + [circuit.weights("W0")[2]]))
    circuit.check()


def test_a_spawned_process_trains_a_circuit_and_gives_it_back():
    circuit = rich()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        other = pool.apply(trained, (circuit,))
        with pytest.raises(cs.SimulationDiverged, match="W0") as found:
            pool.apply(diverged, (circuit,))
    assert_same(everything_of(other), everything_of(trained(circuit)))
    assert (found.value.projection, found.value.replica, found.value.step) == ("W0", 0, 4)


def test_errors_come_back_whole():
    diverged = cs.SimulationDiverged("it ran away", projection="W0", replica=2, step=7)
    diverged.history = cs.History()
    for error in (diverged, cs.MotifError(["one", "two"]), cs.RuleError("no", column=3, name="x"), cs.DataError("no")):
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(other) is type(error) and str(other) == str(error)
            assert other.__dict__.keys() == error.__dict__.keys() and str(other.__dict__) == str(error.__dict__)
