"""What is pruned stays pruned, and a pinned replica stays as it is until it is released."""

import numpy as np
import pytest
import torch

import circuitsim as cs

KINDS = {"dense": cs.All(), "one to one": cs.OneToOne(), "listed": cs.Random(0.04)}


def made(kind: str = "dense", dtype: str = "float64", replicas: int = 2, **options) -> cs.Circuit:
    """x -> y with a state of each synapse, and a tied projection back."""
    motif, size = cs.Motif(kind), 36 if kind == "listed" else 4
    motif.add(cs.Population("x", size), cs.Population("y", size), cs.Population("back", size, stream="descending"))
    rule = cs.Rule("eta * (post * pre + s) - 0.01 * w", eta=0.1)
    init = cs.Uniform(0.1, 0.9) if kind == "one to one" else cs.Gaussian()
    motif.connect("x", "y", name="W", connectivity=KINDS[kind], init=init, rule=rule, state={"s": "0.5 * s + pre"})
    motif.connect("y", "back", name="T", tied_to=cs.Derived("W", transpose=True))
    return cs.compile(motif, replicas=replicas, dtype=dtype, device="cpu", **options)


def x(circuit: cs.Circuit, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((5, circuit.motif.population("x").size))


def dense(tensor: torch.Tensor) -> np.ndarray:
    return tensor.to_dense().numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_snapshot_brings_a_pruned_synapse_back(kind, dtype, tmp_path):
    circuit = made(kind, dtype)
    circuit.step(x(circuit))
    snapshot, before = circuit.snapshot(), dense(circuit.weights("W"))
    present = dense(circuit.mask("W")) != 0
    threshold = float(np.median(np.abs(before[present])))
    n_pruned = circuit.prune("W", threshold)
    gone = present & (np.abs(before) < threshold)
    assert n_pruned.tolist() == gone.sum((1, 2)).tolist() and n_pruned.min() > 0
    circuit.pin_replica(0, snapshot)

    def check(c: cs.Circuit) -> None:
        weights, tied = dense(c.weights("W")), dense(c.weights("T"))
        assert np.isfinite(weights).all() and not weights[gone].any() and not tied.transpose(0, 2, 1)[gone].any()
        assert not dense(c.state("W", "s"))[gone].any()
        np.testing.assert_allclose(dense(c.predict(x(c), "y")), x(c) @ weights.transpose(0, 2, 1), rtol=1e-5)
        assert len(c.table("W", 0)) == (present & ~gone)[0].sum()

    np.testing.assert_array_equal(dense(circuit.weights("W"))[0], np.where(gone[0], 0.0, before[0]))
    check(circuit)
    circuit.step(x(circuit, 1))
    circuit.save(tmp_path / "c")
    circuit = cs.load_circuit(tmp_path / "c", device="cpu")
    check(circuit)
    circuit.release_replica(0)
    circuit.step(x(circuit, 2))
    check(circuit)


def test_pruning_removes_numbers_that_are_not_finite():
    circuit = made()
    circuit.values("W")[0, 1, 2] = torch.nan
    circuit.store.own["W:s"][0, 1, 2] = torch.inf
    assert circuit.prune("W", 0.0).tolist() == [1, 0]
    assert circuit.weights("W")[0, 1, 2] == 0 and circuit.state("W", "s")[0, 1, 2] == 0


def test_sparse_matrices_are_refused_where_a_synapse_was_pruned():
    circuit = made("listed")
    matrix = circuit.weights("W")
    circuit.prune("W", 0.5)
    before = dense(circuit.weights("W"))
    with pytest.raises(cs.ParameterError, match="weights are given where there is no synapse: "):
        circuit.set_weights("W", matrix)  # as before they were pruned
    np.testing.assert_array_equal(dense(circuit.weights("W")), before)
    circuit.set_weights("W", circuit.weights("W"))
    np.testing.assert_array_equal(dense(circuit.weights("W")), before)


def test_what_a_probe_prunes_stays_pruned_when_a_replica_runs_away_in_the_same_run():
    """Replica 1 runs away after the pruning, and goes back to the state at the start of the run."""
    circuit = made(vary={"W.eta": [0.01, 1e4]})
    before = circuit.weights("W")
    gone = before.abs() < 0.4

    def prune(c: cs.Circuit) -> None:
        if c.n_steps == 1:
            c.prune("W", 0.4)

    history = cs.fit(
        circuit, [(np.zeros((2, 4)), None)] + [(x(circuit), None)] * 9, progress=False,
        probes={"prune": cs.Probe(prune, every_steps=1)},
    )  # fmt: skip
    assert history.ran_away == [1] and circuit.pinned == (1,)
    weights = circuit.weights("W")
    gone |= (before * 0.99).abs() < 0.4  # after one step of decay
    assert gone[1].any() and not weights[gone].any()
    assert torch.equal(weights[1], torch.where(gone[1], 0.0, before[1]))
    assert not circuit.predict(np.eye(4), "y")[1].T[gone[1]].any()


def test_a_pinned_replica_refuses_other_weights_and_the_others_take_them():
    circuit = made(replicas=3)
    circuit.pin_replica(1)
    before, other = circuit.weights("W"), torch.full((3, 4, 4), 0.25, dtype=torch.float64)
    for wrong in (other, other[0]):
        with pytest.raises(cs.ParameterError, match=r"projection 'W': replicas \[1\] are pinned, .* release"):
            circuit.set_weights("W", wrong)
        assert torch.equal(circuit.weights("W"), before)
    other[1] = before[1]
    circuit.set_weights("W", other)
    assert torch.equal(circuit.weights("W"), other)
    circuit.step(x(circuit))
    assert torch.equal(circuit.weights("W")[1], before[1]) and not torch.equal(circuit.weights("W")[0], other[0])
    assert [circuit.synapse("W", post=0, pre=0, replica=r).plastic for r in range(3)] == [True, False, True]
    circuit.release_replica(1)
    circuit.set_weights("W", other[0])
    assert torch.equal(circuit.weights("W")[1], other[0])


def test_a_step_that_fails_in_its_second_phase_changes_neither_pinned_replicas_nor_others():
    motif = cs.Motif("two phases")
    motif.add(cs.Population("x", 4), cs.Population("y", 4), cs.Signal("late"))
    motif.connect("x", "y", name="W", rule=cs.Rule("0.1 * pre"))
    motif.connect("x", "y", name="U", rule=cs.Rule("0.1 * late * pre"))
    motif.add(cs.Phase("first", plastic=["W"]), cs.Phase("second", plastic=["U"]))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    circuit.pin_replica(0)
    before = circuit.weights("W")

    def fails(c: cs.Circuit) -> list[float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        circuit.step(x(circuit), None, {"late": fails})
    assert torch.equal(circuit.weights("W"), before)
    circuit.step(x(circuit), None, {"late": np.ones(len(x(circuit)))})
    assert torch.equal(circuit.weights("W")[0], before[0]) and not torch.equal(circuit.weights("W")[1], before[1])


@pytest.mark.parametrize("varied", [False, True])
def test_a_replica_can_be_released_at_other_rates(varied, tmp_path):
    motif = cs.Motif("rates")
    motif.add(cs.Population("x", 3), cs.Population("y", 2))
    motif.connect("x", "y", name="W", init=cs.Constant(0.0), rule=cs.Rule("eta * pre - beta * pre", eta=0.5, beta=0.1))
    vary = {"W.eta": [0.5, 0.25, 0.125]} if varied else {}
    circuit = cs.compile(motif, replicas=3, dtype="float64", device="cpu", vary=vary)
    given = np.array([[1.0, 2.0, 3.0]])
    circuit.pin_replica(1)
    circuit.step(given)
    circuit.release_replica(1, {"W.eta": 4.0, "W.beta": 1.0})
    circuit.eta_scale = 0.5
    circuit.save(tmp_path / "c")
    net = [0.5 - 0.1, 0.0, (0.125 if varied else 0.5) - 0.1]
    net = np.add(net, [0.5 * 0.5 - 0.1, 0.5 * 4.0 - 1.0, 0.5 * (0.125 if varied else 0.5) - 0.1])
    for c in (circuit, cs.load_circuit(tmp_path / "c", device="cpu")):
        c.step(given)
        np.testing.assert_allclose(c.weights("W").numpy(), net[:, None, None] * np.stack([given] * 2, 1), rtol=1e-12)
        assert c.synapse("W", post=0, pre=0, replica=1).parameters == {"eta": 4.0, "beta": 1.0}
        assert set(c.table("W", 1).eta) == {4.0} and set(c.table("W", 0).beta) == {0.1}
        assert c.changed_rates["W.beta"] == (0.1, 1.0, 0.1)


def test_rates_that_cannot_be_are_refused_and_the_replica_stays_pinned():
    circuit = made()
    each = cs.compile(circuit.motif.replace("W", rule=cs.Rule("eta * pre", eta=np.ones((4, 4)))), device="cpu")
    each.pin_replica(0)
    circuit.pin_replica(0)
    for c, rates, message in (
        (circuit, {"W.etta": 0.1}, r"rates: unknown path 'W.etta' \(known: W.eta\)"),
        (circuit, {"W.eta": np.nan}, "rates: 'W.eta' must be a finite number .got nan."),
        (circuit, {"W.eta": "slow"}, "rates: 'W.eta' must be a finite number .got 'slow'."),
        (each, {"W.eta": 0.1}, "W.eta is declared per synapse, so it cannot differ between replicas"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            c.release_replica(0, rates)
        assert c.pinned == (0,) and c.changed_rates == {}


def test_a_rate_that_the_rule_does_not_read_is_told():
    motif = made().motif.replace("W", rule=cs.Rule("eta * pre", eta=0.1, gamma=0.2))
    with pytest.warns(cs.UnreadParameterWarning, match="vary: the rule does not read 'W.gamma'") as caught:
        circuit = cs.compile(motif, replicas=2, vary={"W.gamma": [0.1, 0.2], "W.eta": [0.1, 0.2]}, device="cpu")
    assert [warning.filename for warning in caught] == [__file__]
    circuit.pin_replica(0)
    with pytest.raises(cs.ParameterError, match="rates: the rule does not read 'W.gamma', so it would change nothing"):
        circuit.release_replica(0, {"W.gamma": 0.3})
    assert circuit.pinned == (0,) and circuit.changed_rates == {}


def test_a_snapshot_that_no_circuit_took_is_refused():
    circuit = made()
    before, arrays = circuit.weights("W"), {name: values.numpy() for name, values in circuit.snapshot().items()}
    with pytest.raises(cs.ParameterError, match="the snapshot's 'W:w' has ndarray, needs"):
        circuit.pin_replica(0, arrays)
    broken = circuit.snapshot()
    broken["W:w"][0, 0, 0] = np.nan
    with pytest.raises(cs.ParameterError, match="the snapshot's 'W:w' of replica 0 is not finite"):
        circuit.pin_replica(0, broken)
    assert circuit.pinned == () and torch.equal(circuit.weights("W"), before)
    circuit.pin_replica(1, broken)  # of which the numbers are sound


@pytest.mark.parametrize("keep", [3, 0.5, object()])
def test_what_names_nothing_to_keep_is_refused(keep):
    circuit = made()
    with pytest.raises(cs.ParameterError, match="keep must be 'all', or names of populations and projections"):
        circuit.step(x(circuit), keep=keep)


def test_a_snapshot_of_another_circuit_is_refused():
    circuit, before = made(), made().weights("W")
    other = made(replicas=3)
    for snapshot, message in (
        (other.snapshot(), r"the snapshot's 'W:w' has shape \(3, 4, 4\), needs \(2, 4, 4\)"),
        ({"W:w": before}, r"the snapshot holds \['W:w'\], needs"),
        ("yesterday", "the snapshot holds str, needs"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            circuit.pin_replica(0, snapshot)
        with pytest.raises(cs.ParameterError, match=message):
            circuit.snapshot(into=snapshot)
        assert circuit.pinned == () and torch.equal(circuit.weights("W"), before)


@pytest.mark.parametrize("scale", [np.nan, np.inf, "fast", None, True])
def test_a_factor_of_the_rates_that_is_no_number_is_refused(scale):
    circuit = made()
    with pytest.raises(cs.ParameterError, match="eta_scale must be a finite number"):
        circuit.eta_scale = scale
    assert circuit.eta_scale == 1.0
