"""Synapses that are removed and that grow, in arrays and in lists. The oracles: NumPy arrays, the dense layout."""

import copy

import numpy as np
import pytest
import torch

import circuitsim as cs
from tests.engine.test_sparse import N_BACK, N_HIDDEN, batch, listed, two_stream

R = 3


def dense(**options) -> cs.Motif:
    return two_stream(cs.Random(0.5), cs.ReciprocalOf("V"), W0=cs.All(), **options)


KINDS = {"arrays": dense, "lists": listed}


def compiled(kind, replicas=R, **options) -> cs.Circuit:
    motif = KINDS[kind](state={"e": cs.State("e + pre * post", start=0.5)})
    circuit = cs.compile(motif, replicas=replicas, dtype="float64", device="cpu", record_changes=True, **options)
    assert circuit.plan.projections["V"].layout == {"arrays": "dense", "lists": "sparse"}[kind]
    circuit.step(*batch())
    return circuit


def arrays(circuit, name):
    """The weights and the mask of a projection as NumPy arrays [replica, post, pre]."""
    return circuit.weights(name).to_dense().numpy(), circuit.mask(name).to_dense().numpy()


@pytest.fixture(params=KINDS)
def circuit(request) -> cs.Circuit:
    return compiled(request.param)


# -- prune


@pytest.mark.parametrize("share", [0.0, 0.1, 0.29, 1.0])
def test_a_quantile_prunes_the_weakest_of_each_replica(circuit, share):
    w, there = arrays(circuit, "V")
    removed = circuit.prune("V", quantile=share)
    now, left = arrays(circuit, "V")
    for r in range(R):
        numbers = np.flatnonzero(there[r])
        n = int(np.floor(np.round(share * len(numbers), 9)))
        gone = numbers[np.argsort(np.abs(w[r].ravel()[numbers]), kind="stable")[:n]]
        expected = there[r].copy()
        expected.ravel()[gone] = False
        assert removed[r] == n
        np.testing.assert_array_equal(left[r], expected)
        np.testing.assert_array_equal(now[r], np.where(expected, w[r], 0))


def test_of_equal_weights_the_first_go_and_what_is_left_is_counted():
    motif = cs.Motif("equal")
    motif.add(cs.Population("x", 4), cs.Population("y", 2))
    motif.connect("x", "y", name="W", init=cs.Constant(1.0))
    circuit = cs.compile(motif, device="cpu")
    for left in ([[0, 0, 1, 1], [1, 1, 1, 1]], [[0, 0, 0, 1], [1, 1, 1, 1]], [[0, 0, 0, 0], [1, 1, 1, 1]]):
        circuit.prune("W", quantile=0.25)
        assert circuit.mask("W")[0].int().tolist() == left


# -- lesion


def test_a_lesion_removes_all_synapses_of_its_neurons_for_good(circuit, tmp_path):
    before = {name: arrays(circuit, name) for name in ("W0", "W1", "V", "Vt", "Wt", "E")}
    snapshot = circuit.snapshot()
    removed = circuit.lesion("h", [0, 3, N_HIDDEN - 1])
    lost = np.zeros(R, dtype=int)
    for name, (w, there) in before.items():
        p, expected = circuit.motif.projection(name), there.copy()
        if p.post == "h":
            expected[:, [0, 3, N_HIDDEN - 1]] = False
        if p.pre == "h":
            expected[:, :, [0, 3, N_HIDDEN - 1]] = False
        lost += (there & ~expected).sum((1, 2))
        np.testing.assert_array_equal(arrays(circuit, name)[1], expected)
        np.testing.assert_array_equal(arrays(circuit, name)[0], np.where(expected, w, 0))
    assert removed.tolist() == lost.tolist() and (lost > 0).all()
    circuit.step(*batch(1), keep="all")
    assert not circuit.drive("h")[:, :, [0, 3, N_HIDDEN - 1]].any()
    circuit.save(tmp_path / "c.safetensors")
    for other in (circuit, cs.load_circuit(tmp_path / "c.safetensors")):
        other.grow("V", probability=1.0)  # everywhere but there
        mask = arrays(other, "V")[1]
        assert not mask[:, [0, 3, N_HIDDEN - 1]].any()
        assert mask.sum() == R * (N_HIDDEN - 3) * N_BACK
    circuit.pin_replica(0, snapshot)
    assert not arrays(circuit, "W0")[0][0, [0, 3, N_HIDDEN - 1]].any()


def test_a_lesion_of_tied_synapses_follows_the_source():
    motif = dense()
    motif.connect("h", "b", name="T", compartment="dendrite", tied_to=cs.Derived("V", transpose=True))
    circuit = cs.compile(motif, device="cpu")
    circuit.lesion("h", 2)
    assert not circuit.mask("T")[0, :, 2].any() and circuit.mask("T")[0, :, 1].any()
    motif.add(cs.Population("c", N_HIDDEN, stream="descending"))
    motif.connect("b", "c", name="elsewhere", tied_to=cs.Derived("V"))
    circuit = cs.compile(motif, device="cpu")
    with pytest.raises(cs.ParameterError, match="'elsewhere' is tied to 'V', which connects other populations"):
        circuit.lesion("c", [0])
    assert circuit.mask("V").sum() == cs.compile(motif, device="cpu").mask("V").sum()


# -- grow


def test_new_synapses_come_where_none_was_and_old_ones_stay(circuit):
    before = {name: arrays(circuit, name) for name in ("V", "Vt", "W0")}
    changes = circuit.last_change("V").to_dense().clone()
    grown = circuit.grow("V", n=7, init=cs.Constant(0.25))
    assert grown.tolist() == [7] * R
    w, there = arrays(circuit, "V")
    old_w, old_there = before["V"]
    new = there & ~old_there
    assert (new.sum((1, 2)) == 7).all() and not (old_there & ~there).any()
    np.testing.assert_array_equal(w, np.where(new, 0.25, old_w))
    state = circuit.state("V", "e").to_dense().numpy()
    assert (state[new] == 0.5).all() and len(set(state[old_there].tolist())) > 10
    assert torch.equal(circuit.last_change("V").to_dense(), changes)
    for name in ("Vt", "W0"):
        for now, then in zip(arrays(circuit, name), before[name], strict=True):
            np.testing.assert_array_equal(now, then)


def test_learning_goes_on_as_in_arrays_of_the_same_synapses():
    """Also where a projection and its reciprocal share the places of their products, but not their synapses."""
    circuit = compiled("lists")
    circuit.prune("Vt", quantile=0.3)
    circuit.grow("V", n=9)
    circuit.grow("Vt", n=4, init=0.1)
    circuit.grow("W0", probability=0.01)
    twins = []
    for r in range(R):
        motif = circuit.motif
        for name in ("W0", "V", "Vt"):
            motif = motif.replace(name, connectivity=cs.Mask(arrays(circuit, name)[1][r]))
        twin = cs.compile(motif, dtype="float64", device="cpu")
        for key, values in twin.store.own.items():
            name = key.partition(":")[0]
            values.copy_(twin.layouts[name].pack(circuit.layouts[name].dense(circuit.store.own[key])[[r]]))
        twins.append(twin)
    for k in range(1, 4):
        loss = circuit.step(*batch(k)).loss
        for r, twin in enumerate(twins):
            torch.testing.assert_close(twin.step(*batch(k)).loss[0], loss[r], rtol=1e-12, atol=0)
    for name in ("W0", "V", "Vt"):
        for r, twin in enumerate(twins):
            torch.testing.assert_close(
                circuit.weights(name).to_dense()[r], twin.weights(name)[0], rtol=1e-11, atol=1e-13
            )
            np.testing.assert_array_equal(arrays(circuit, name)[1][r], twin.mask(name)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_tied_synapses_grow_with_their_source(kind, tmp_path):
    motif = KINDS[kind]()
    motif.connect("h", "b", name="T", compartment="dendrite", tied_to=cs.Derived("Vt", scale=2.0))
    motif.connect("b", "h", name="U", compartment="dendrite", tied_to=cs.Derived("Vt", transpose=True))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    circuit.grow("V", n=6)
    circuit.grow("Vt", n=8)
    circuit.step(*batch())
    circuit.save(tmp_path / "c.safetensors")
    for one in (circuit, cs.load_circuit(tmp_path / "c.safetensors")):
        one.step(*batch(1))
        w, there = arrays(one, "Vt")
        np.testing.assert_array_equal(arrays(one, "T")[0], 2 * w)
        np.testing.assert_array_equal(arrays(one, "U")[0], w.swapaxes(1, 2))
        np.testing.assert_array_equal(arrays(one, "U")[1], there.swapaxes(1, 2))
        assert there.sum() == arrays(circuit, "V")[1].sum() + 2 * (8 - 6)


def test_growth_is_uniform_over_the_places():
    """Each place of the first row is taken about equally often."""
    motif = cs.Motif("one")
    motif.add(cs.Population("x", 6), cs.Population("y", 2))
    motif.connect("x", "y", name="W", connectivity=cs.Mask([[1, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1]]))
    circuit = cs.compile(motif, replicas=2000, device="cpu")
    circuit.grow("W", n=2)
    counts = circuit.mask("W")[:, 0].numpy().sum(axis=0)[[1, 2, 3, 5]]
    assert counts.sum() == 4000 and (abs(counts - 1000) < 4 * np.sqrt(2000 * 0.25)).all()


def test_new_weights_are_drawn_as_declared():
    motif = cs.Motif("drawn")
    motif.add(cs.Population("x", 100), cs.Population("y", 50))
    motif.connect(
        "x", "y", name="W", connectivity=cs.Mask(np.zeros((50, 100))), init=cs.Gaussian(2.0), bounds=(-0.1, 1)
    )
    circuit = cs.compile(motif, device="cpu", replicas=2, vary={"W.init.gain": [2.0, 0.0]})
    circuit.grow("W", probability=1.0)
    w = circuit.weights("W").numpy()
    assert w[0].min() == pytest.approx(-0.1) and not w[1].any()
    assert w[0][w[0] > 0].std() == pytest.approx(0.2 * np.sqrt(1 - 2 / np.pi), rel=0.05)  # half-normal, of 100 partners


def test_a_replica_grows_as_a_circuit_of_its_seed_and_anew_each_time(circuit):
    kind = "arrays" if circuit.plan.projections["V"].layout == "dense" else "lists"
    solo = compiled(kind, replicas=1, seed=1)
    for one in (circuit, solo):
        one.grow("V", n=5)
        one.grow("V", n=5)
    np.testing.assert_array_equal(arrays(circuit, "V")[1][1], arrays(solo, "V")[1][0])
    again = compiled(kind)
    again.grow("V", n=5)
    first = arrays(again, "V")[1]
    again.grow("V", n=5, seed=77, replica=2)
    assert (arrays(again, "V")[1] & ~first).sum((1, 2)).tolist() == [0, 0, 5]


def test_a_grown_circuit_is_saved_copied_and_exported(circuit, tmp_path):
    circuit.prune("V", quantile=0.2)
    circuit.grow("V", n=30)
    circuit.grow("Vt", n=3)
    circuit.save(tmp_path / "c.safetensors")
    loaded = cs.load_circuit(tmp_path / "c.safetensors")
    for other in (loaded, copy.deepcopy(circuit)):
        for name in ("V", "Vt", "W0"):
            for now, then in zip(arrays(other, name), arrays(circuit, name), strict=True):
                np.testing.assert_array_equal(now, then)
    for one in (circuit, loaded):
        one.step(*batch(2))
        one.grow("V", n=3)
    for now, then in zip(arrays(loaded, "V"), arrays(circuit, "V"), strict=True):
        np.testing.assert_array_equal(now, then)


def test_pinned_replicas_do_not_grow_but_are_pruned_and_keep_their_snapshot(circuit):
    snapshot, (w, there) = circuit.snapshot(), arrays(circuit, "V")
    circuit.pin_replica(1)
    assert circuit.grow("V", n=40).tolist() == [40, 0, 40]
    np.testing.assert_array_equal(arrays(circuit, "V")[1][1], there[1])
    np.testing.assert_array_equal(arrays(circuit, "V")[0][1], w[1])
    with pytest.raises(cs.ParameterError, match="replica 1 is pinned, so nothing grows in it; release it first"):
        circuit.grow("V", n=1, replica=1)
    circuit.step(*batch(1))
    circuit.prune("V", quantile=0.5)
    circuit.pin_replica(0, snapshot)
    now, left = arrays(circuit, "V")
    np.testing.assert_array_equal(now[0], np.where(left[0], w[0], 0))  # what grew since holds 0
    assert (left[0] & ~there[0]).any() and (there[0] & ~left[0]).any()
    newer = circuit.snapshot(into=snapshot)
    circuit.pin_replica(2, newer)
    np.testing.assert_array_equal(arrays(circuit, "V")[0][2], now[2])


def test_rates_for_each_synapse_stay_with_their_synapses():
    eta = np.random.default_rng(0).random((N_HIDDEN, N_BACK))
    rule = cs.Rule("eta * pre * post", eta=eta)
    motif = listed().replace("V", rule=rule).replace("Vt", rule=None)
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    circuit.grow("V", n=25, init=0.0)
    before = arrays(circuit, "V")[0]
    circuit.step(*batch(), keep="all")
    post, pre = circuit.activity("h")[0].numpy(), circuit.activity("b")[0].numpy()
    change = eta * (post.T @ pre) / len(post) * arrays(circuit, "V")[1][0]
    np.testing.assert_allclose(arrays(circuit, "V")[0][0] - before[0], change, atol=1e-12)
    assert np.count_nonzero(change) > 25


def test_one_to_one_projections_grow_on_their_diagonal():
    motif = cs.Motif("pairs")
    motif.add(cs.Population("x", 6), cs.Population("y", 6))
    motif.connect("x", "y", name="W", connectivity=cs.OneToOne(), init=cs.Given(np.diag(np.arange(6.0))))
    circuit = cs.compile(motif, replicas=2, device="cpu")
    circuit.prune("W", 2.5)
    assert circuit.grow("W", n=2).tolist() == [2, 2]
    mask = circuit.mask("W").numpy()
    assert (mask.sum((1, 2)) == 5).all() and not mask[:, ~np.eye(6, dtype=bool)].any()
    with pytest.raises(cs.ParameterError, match="n is 2, but replica 0 has 1 places without a synapse"):
        circuit.grow("W", n=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.prune("V"), r"projection 'V': give threshold or quantile \(got None and None\)"),
        (lambda c: c.prune("V", 0.1, quantile=0.1), r"give threshold or quantile \(got 0.1 and 0.1\)"),
        (lambda c: c.prune("V", quantile=1.1), r"quantile must be a number in \[0, 1\] \(got 1.1\)"),
        (lambda c: c.grow("V"), r"projection 'V': give n or a probability \(got None and None\)"),
        (lambda c: c.grow("V", n=1.5), r"n must be a whole number, 0 or more \(got 1.5\)"),
        (lambda c: c.grow("V", probability=0), r"probability must be in \(0, 1\] \(got 0\)"),
        (lambda c: c.grow("V", n=10**6), "n is 1000000, but replica 0 has"),
        (
            lambda c: c.grow("V", n=1, init=cs.Identity()),
            "init of new synapses must be Gaussian, Uniform, Constant",
        ),
        (lambda c: c.grow("V", n=1, init=cs.Uniform(2, 1)), r"Uniform needs finite low < high \(got 2, 1\)"),
        (lambda c: c.grow("V", n=1, replica=9), "replica must be in 0 .. 2"),
        (lambda c: c.grow("V", n=1, seed=-1), "seed must be a whole number, 0 or more"),
        (lambda c: c.lesion("h", [N_HIDDEN]), "population 'h': neuron must be in 0 .. 49"),
        (lambda c: c.lesion("h", [True, False]), "takes the indices of neurons .*numpy.flatnonzero turns booleans"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(circuit, call, message):
    before = {name: arrays(circuit, name) for name in ("V", "W0")}
    with pytest.raises(cs.ParameterError, match=message):
        call(circuit)
    for name, then in before.items():
        for now, old in zip(arrays(circuit, name), then, strict=True):
            np.testing.assert_array_equal(now, old)


# -- rewiring


def rewired(kind, share=0.2, **options) -> cs.Motif:
    motif = KINDS[kind]()
    return motif.replace("V", rewiring=cs.Rewiring(every_steps=3, share=share), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_rewiring_replaces_the_weakest_after_the_changes_of_its_step(kind):
    options = {"replicas": 2, "dtype": "float64", "device": "cpu"}
    circuit, twin = cs.compile(rewired(kind), **options), cs.compile(KINDS[kind](), **options)
    for k in range(3):
        assert torch.equal(circuit.weights("V").to_dense(), twin.weights("V").to_dense())
        circuit.step(*batch(k)), twin.step(*batch(k))
    w, there = arrays(twin, "V")
    now, left = arrays(circuit, "V")
    for r in range(2):
        numbers = np.flatnonzero(there[r])
        n = int(0.2 * len(numbers))
        order = np.argsort(np.abs(w[r].ravel()[numbers]), kind="stable")
        kept = numbers[np.sort(order[n:])]
        assert left[r].sum() == len(numbers) and left[r].ravel()[kept].all()
        np.testing.assert_array_equal(now[r].ravel()[kept], w[r].ravel()[kept])
        new = np.setdiff1d(np.flatnonzero(left[r]), kept)
        assert len(new) == n > 5 and len(np.setdiff1d(new, numbers)) > 0
        assert (now[r].ravel()[new] != 0).all()
    assert torch.equal(circuit.weights("Vt").to_dense(), twin.weights("Vt").to_dense())
    n_places = circuit.store.own["V:w"].shape
    for k in range(3, 30):
        circuit.step(*batch(k))
        assert (arrays(circuit, "V")[1].sum((1, 2)) == there.sum((1, 2))).all()
    assert circuit.store.own["V:w"].shape[-1] <= 2 * n_places[-1]  # lists do not grow from one rewiring to the next


@pytest.mark.parametrize("kind", KINDS)
def test_a_rewired_circuit_goes_on_from_a_file_and_as_the_circuit_of_its_seed(kind, tmp_path):
    circuit = cs.compile(rewired(kind), replicas=2, dtype="float64", device="cpu")
    solo = cs.compile(rewired(kind), seed=1, dtype="float64", device="cpu")
    for k in range(9):
        if k == 4:
            circuit.save(tmp_path / "c.safetensors")
            loaded = cs.load_circuit(tmp_path / "c.safetensors")
        if k >= 4:
            loaded.step(*batch(k))
        circuit.step(*batch(k)), solo.step(*batch(k))
    for now, then in zip(arrays(loaded, "V"), arrays(circuit, "V"), strict=True):
        np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(arrays(solo, "V")[1][0], arrays(circuit, "V")[1][1])
    np.testing.assert_allclose(arrays(solo, "V")[0][0], arrays(circuit, "V")[0][1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_pinned_replicas_and_frozen_projections_are_not_rewired(kind):
    circuit = cs.compile(rewired(kind), replicas=2, dtype="float64", device="cpu", record_changes=True)
    start = arrays(circuit, "V")
    circuit.pin_replica(1)
    for k in range(3):
        circuit.step(*batch(k))
    w, there = arrays(circuit, "V")
    np.testing.assert_array_equal(there[1], start[1][1])
    np.testing.assert_array_equal(w[1], start[0][1])
    assert (there[0] != start[1][0]).any()
    assert circuit.last_change("V").to_dense().count_nonzero() > 0
    circuit.freeze("V")
    for k in range(3):
        circuit.step(*batch(k))
    np.testing.assert_array_equal(arrays(circuit, "V")[1], there)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rewired_run_resumes_from_its_checkpoint(kind, tmp_path):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 60)), rng.integers(0, 5, 40)
    options = {"batch_size": 10, "progress": False}

    def compiled():
        return cs.compile(rewired(kind), replicas=2, dtype="float64", device="cpu")

    class Cut(Exception):
        pass

    def look(circuit):
        if circuit.n_steps == 10:
            raise Cut

    whole = compiled()
    cs.fit(whole, data, epochs=4, **options)
    with pytest.raises(Cut):
        probes = {"cut": cs.Probe(look, every_steps=1)}
        cs.fit(compiled(), data, epochs=4, checkpoint=tmp_path / "c.safetensors", probes=probes, **options)
    resumed = compiled()
    cs.fit(resumed, data, epochs=4, checkpoint=tmp_path / "c.safetensors", resume=True, **options)
    for name in ("V", "Vt", "W0"):
        for now, then in zip(arrays(resumed, name), arrays(whole, name), strict=True):
            np.testing.assert_array_equal(now, then)


def test_a_tenth_is_pruned_and_regrown_every_epoch():
    """By hand, with a probe that `fit` calls after each epoch."""
    rng = np.random.default_rng(0)
    circuit = cs.compile(dense(), device="cpu")
    n = int(circuit.mask("V").sum())

    def regrow(c):
        c.grow("V", n=int(c.prune("V", quantile=0.1)))

    cs.fit(circuit, (rng.standard_normal((40, 60)), rng.integers(0, 5, 40)), epochs=3, probes={"regrow": regrow},
           batch_size=20, progress=False)  # fmt: skip
    assert circuit.mask("V").sum() == n and circuit.n_grown == 4  # also at the start


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewiring": cs.Rewiring(0, 0.1)}, "Rewiring every_steps must be a whole number, 1 or more (got 0)"),
        ({"rewiring": cs.Rewiring(10, 1.5)}, "Rewiring share must be in (0, 1] (got 1.5)"),
        ({"rewiring": 0.1}, "rewiring must be Rewiring or None (got 0.1)"),
        ({"rewiring": cs.Rewiring(10, 0.1), "plastic": False}, "only a plastic projection with a rule can be rewired"),
    ],
)
def test_rewiring_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(cs.MotifError) as caught:
        dense().replace("V", **changes).validate()
    assert message in str(caught.value)


def test_rewiring_is_told_in_tables_and_files():
    motif = rewired("arrays")
    assert "every 3 steps, the weakest 0.2 of the synapses go, and as many grow at random" in motif.methods_table()
    assert cs.Motif.from_json(motif.to_json()) == motif


def test_several_processes_do_not_rewire(monkeypatch):
    monkeypatch.setattr("circuitsim.train.process_group.ProcessGroup.is_single", False)
    with pytest.raises(cs.ParameterError, match="projection 'V' is rewired, which each process would do by its own"):
        cs.fit(cs.compile(rewired("arrays"), device="cpu"), batch(), progress=False)
