"""Listed synapses do what an array of them does. The oracles: the dense layout, SciPy, NumPy."""

import numpy as np
import pytest
import scipy.sparse
import torch

import circuitsim as cs
from circuitsim.engine.draws import draw_synapses

N_IN, N_HIDDEN, N_BACK, N_OUT, BATCH = 60, 50, 40, 5, 7


def two_stream(V, Vt, rule="eta * (post * pre - gamma * w)", **options) -> cs.Motif:
    """A circuit with listed synapses in every role: soma, dendrite, both ends of a shared product."""
    rates = {"eta": 0.1, "gamma": 1e-2}
    motif = cs.Motif("listed")
    motif.add(cs.Population("x", N_IN), cs.Population("h", N_HIDDEN, activation="relu"), cs.Population("y", N_OUT))
    motif.add(cs.Population("e", N_OUT, stream="descending"), cs.Population("b", N_BACK, stream="descending"))
    motif.add(cs.Objective(output="y", error="e"))
    motif.connect("x", "h", name="W0", rule=cs.Rule("eta * (slope_post * I_V * pre - gamma * w)", **rates),
                  connectivity=options.pop("W0", cs.Random(0.05)))  # fmt: skip
    motif.connect("h", "y", name="W1", rule=cs.Rule("eta * (I_E * pre - gamma * w)", **rates))
    motif.connect("e", "b", name="Wt", rule=cs.Rule("eta * (I_Vt * pre - gamma * w)", **rates))
    motif.connect("b", "h", name="V", compartment="dendrite", rule=cs.Rule(rule, **rates), connectivity=V, **options)
    motif.connect("h", "b", name="Vt", compartment="dendrite", rule=cs.Rule(rule, **rates), connectivity=Vt, **options)
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    return motif


def listed(**options) -> cs.Motif:
    return two_stream(cs.Random(0.05), cs.ReciprocalOf("V"), **options)


def as_dense(circuit: cs.Circuit, replica: int) -> cs.Circuit:
    """The same circuit with arrays: masks and weights as they are in one replica."""
    motif = circuit.motif
    for name in ("W0", "V", "Vt"):
        mask = cs.Mask(circuit.mask(name).to_dense()[replica].numpy())
        motif = motif.replace(name, connectivity=mask)
    dense = cs.compile(motif, dtype="float64", device="cpu", record_changes=True)
    for p in motif.projections:
        dense.set_weights(p.name, circuit.weights(p.name).to_dense()[replica])
    assert dense.plan.projections["V"].layout == "dense"
    return dense


def batch(k: int = 0, dtype=np.float64):
    rng = np.random.default_rng(k)
    return rng.standard_normal((BATCH, N_IN)).astype(dtype), rng.integers(0, N_OUT, BATCH)


RULES = {
    "outer product": "eta * (post * pre - gamma * w)",
    "weighted": "eta * (post * pre - w * post**2 - gamma * sign(w))",
    "homeostatic": "eta * (post * pre - gamma * w * (sum_in(w**2) + sum_out(w**2)))",
    "competition": "eta * (post * pre - gamma * w * (max_in(abs(w)) + max_out(w) + sum_in(w * pre)))",
    "one end": "eta * (post - pre) * w",
    "slow": "eta * tanh(post * pre) - gamma * w",
}


@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("record", [False, True], ids=["in place", "recorded"])
def test_each_replica_does_what_arrays_do(rule, record):
    circuit = cs.compile(listed(rule=rule), replicas=3, dtype="float64", device="cpu", record_changes=record)
    assert circuit.plan.projections["V"].layout == circuit.plan.projections["W0"].layout == "sparse"
    twins = [as_dense(circuit, r) for r in range(3)]
    for k in range(4):
        loss = circuit.step(*batch(k)).loss
        assert torch.isfinite(loss).all()
        for r, twin in enumerate(twins):
            torch.testing.assert_close(twin.step(*batch(k)).loss[0], loss[r], rtol=1e-12, atol=0)
    for p in circuit.motif.projections:
        for r, twin in enumerate(twins):
            ours, theirs = circuit.weights(p.name).to_dense()[r], twin.weights(p.name)[0]
            torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)
            torch.testing.assert_close(circuit.current(p.name)[r], twin.current(p.name)[0], rtol=1e-11, atol=1e-13)
            if record and p.is_plastic:
                theirs = twin.last_change(p.name)[0]
                torch.testing.assert_close(circuit.last_change(p.name).to_dense()[r], theirs, rtol=1e-10, atol=1e-13)


def test_float32_agrees_with_arrays_to_a_millionth():
    circuit = cs.compile(listed(), dtype="float32", device="cpu")
    twin = as_dense(circuit, 0)
    for k in range(5):
        x, y = batch(k)
        circuit.step(x.astype(np.float32), y)
        twin.step(x.astype(np.float32), y)
    for name in ("W0", "V", "Vt"):
        ours = circuit.weights(name).to_dense().double()
        torch.testing.assert_close(ours, twin.weights(name), rtol=1e-6, atol=1e-6 * float(ours.abs().max()))


def test_a_replica_is_the_solo_circuit_of_its_seed_though_the_numbers_of_synapses_differ():
    together = cs.compile(listed(), replicas=3, seed=5, dtype="float64", device="cpu")
    alone = [cs.compile(listed(), seed=5 + r, dtype="float64", device="cpu") for r in range(3)]
    assert len({len(solo.table("V")) for solo in alone}) > 1
    for k in range(3):
        together.step(*batch(k))
        for r in range(3):
            alone[r].step(*batch(k))
    for p in together.motif.projections:
        for r in range(3):
            ours, theirs = together.weights(p.name).to_dense()[r], alone[r].weights(p.name).to_dense()[0]
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
            assert torch.equal(together.mask(p.name).to_dense()[r], alone[r].mask(p.name).to_dense()[0])


def test_weights_are_csr_and_can_be_written_back_as_csr_or_array():
    circuit = cs.compile(listed(), replicas=2, dtype="float64", device="cpu")
    weights = circuit.weights("V")
    assert weights.layout == torch.sparse_csr and tuple(weights.shape) == (2, N_HIDDEN, N_BACK)
    circuit.step(*batch())
    circuit.set_weights("V", weights)
    assert torch.equal(circuit.weights("V").to_dense(), weights.to_dense())
    circuit.set_weights("V", 2 * weights.to_dense())
    assert torch.equal(circuit.weights("V").to_dense(), 2 * weights.to_dense())
    with pytest.raises(cs.ParameterError, match="where there is no synapse"):
        circuit.set_weights("V", np.ones((N_HIDDEN, N_BACK)))


def test_bounds_freeze_prune_hold_and_archive(tmp_path):
    circuit = cs.compile(listed(bounds=(-0.2, 0.2)), replicas=2, dtype="float64", device="cpu")
    circuit.step(*batch())
    assert float(circuit.weights("V").values().abs().max()) <= 0.2
    circuit.freeze("V")
    frozen = circuit.weights("V").to_dense()
    circuit.step(*batch(1))
    assert torch.equal(circuit.weights("V").to_dense(), frozen)
    circuit.thaw("V")
    before = circuit.weights("V").to_dense()
    pruned = circuit.prune("V", 0.1)
    gone = (before != 0) & (before.abs() < 0.1)
    assert pruned.tolist() == gone.sum((1, 2)).tolist() and pruned.min() > 0
    circuit.step(*batch(2))
    after = circuit.weights("V").to_dense()
    assert (after[gone] == 0).all() and not circuit.mask("V").to_dense()[gone].any()
    circuit.pin_replica(1, circuit.snapshot())
    held = circuit.weights("V").to_dense()[1]
    path = tmp_path / "circuit.safetensors"
    circuit.save(path)
    loaded = cs.load_circuit(path, device="cpu")
    for one in (circuit, loaded):
        one.step(*batch(3))
        assert torch.equal(one.weights("V").to_dense()[1], held)
    assert torch.equal(circuit.weights("V").to_dense(), loaded.weights("V").to_dense())
    assert torch.equal(circuit.mask("V").to_dense(), loaded.mask("V").to_dense())


def test_synapses_are_listed_without_an_array():
    circuit = cs.compile(listed(), replicas=2, dtype="float64", device="cpu")
    weights, mask = circuit.weights("V").to_dense(), circuit.mask("V").to_dense()
    for replica in range(2):
        table = circuit.table("V", replica)
        post, pre = np.nonzero(mask[replica].numpy())
        assert table.post.tolist() == post.tolist() and table.pre.tolist() == pre.tolist()
        np.testing.assert_array_equal(table.weight, weights[replica].numpy()[post, pre])
    graph = circuit.connectome(1)
    assert sum(key == "V" for *_, key in graph.edges(keys=True)) == int(mask[1].sum())
    post, pre = map(int, np.argwhere(mask[1].numpy())[3])
    assert circuit.synapse("V", post=post, pre=pre, replica=1).weight == float(weights[1, post, pre])


def test_edges_and_ties_and_states_work_on_listed_synapses():
    motif = cs.Motif("edges")
    motif.add(cs.Population("x", 50), cs.Population("y", 40), cs.Population("z", 50))
    edges = cs.Edges(pre=[1, 3, 7, 1], post=[0, 39, 5, 2])
    trace = {"trace": cs.State("trace + (post * pre - trace) / 2")}
    motif.connect("x", "y", name="W", connectivity=edges, rule=cs.Rule("0.1 * trace"), state=trace)
    motif.connect("y", "z", name="B", tied_to=cs.Derived("W", transpose=True, scale=2.0))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    w = circuit.weights("W").to_dense()[0].numpy()
    assert np.count_nonzero(w) == 4 and circuit.weights("W").values().numel() == 4
    x, state = np.random.default_rng(0).standard_normal((6, 50)), np.zeros_like(w)
    for _ in range(3):
        circuit.step(x)
        y = x @ w.T
        np.testing.assert_allclose(circuit.activity("z")[0].numpy(), y @ (2 * w), rtol=1e-12)
        w, state = w + 0.1 * state * (w != 0), (state + ((y.T @ x) / 6 - state) / 2) * (w != 0)
        np.testing.assert_allclose(circuit.weights("W").to_dense()[0].numpy(), w, rtol=1e-12)
        np.testing.assert_allclose(circuit.state("W", "trace").to_dense()[0].numpy(), state, rtol=1e-12)


def test_random_connectivity_has_its_density_and_never_repeats_a_synapse():
    for probability in (0.003, 0.4, 1.0):
        found = draw_synapses(cs.Random(probability), (500, 700), seed=3, name="V")
        assert (np.diff(found) > 0).all() and found.min() >= 0 and found.max() < 500 * 700
        spread = np.sqrt(500 * 700 * probability * (1 - probability))
        assert abs(len(found) - 500 * 700 * probability) <= 5 * spread
        per_row = np.bincount(found // 700, minlength=500)
        if probability < 1:
            assert abs(per_row.var() / (700 * probability * (1 - probability)) - 1) < 0.35


def test_a_large_projection_costs_as_much_as_its_synapses():
    """20,000 x 20,000 at 1 %: an array would take 1.6 GB for each of weights and mask."""
    n, batch_size = 20_000, 4
    motif = cs.Motif("large")
    motif.add(cs.Population("x", n), cs.Population("y", n))
    rule = cs.Rule("eta * (I_V * pre - gamma * w)", eta=0.1, gamma=1e-3)
    motif.connect("x", "y", name="W", connectivity=cs.Random(0.01), rule=rule)
    motif.connect("x", "y", name="V", compartment="dendrite", connectivity=cs.Random(0.01))
    circuit = cs.compile(motif, device="cpu")
    before = circuit.weights("W")[0]
    x = torch.randn(batch_size, n)
    circuit.step(x)
    matrices = {}
    for name, matrix in (("W", before), ("V", circuit.weights("V")[0])):
        parts = (matrix.values(), matrix.col_indices(), matrix.crow_indices())
        matrices[name] = scipy.sparse.csr_matrix(tuple(part.numpy() for part in parts), shape=(n, n))
        assert abs(matrices[name].nnz - n * n / 100) < 5 * np.sqrt(n * n / 100)
    np.testing.assert_allclose(circuit.activity("y")[0].numpy().T, matrices["W"] @ x.numpy().T, rtol=1e-3, atol=1e-5)
    drive, rows = (matrices["V"] @ x.numpy().T).T, np.repeat(np.arange(n), np.diff(matrices["W"].indptr))
    columns = matrices["W"].indices
    change = 0.1 * ((drive[:, rows] * x.numpy()[:, columns]).mean(0) - 1e-3 * matrices["W"].data)
    after = circuit.weights("W")[0].values().numpy()
    assert np.isfinite(after).all()
    np.testing.assert_allclose(after, matrices["W"].data + change, rtol=1e-5, atol=1e-6)
    assert circuit.n_bytes < 2 * 4 * 4.1e6 + 30 * 4 * batch_size * n


def test_analyses_take_listed_synapses_as_they_take_arrays():
    circuit = cs.compile(listed(), dtype="float64", device="cpu")
    twin = as_dense(circuit, 0)
    ours, theirs = (cs.alignment(c, *batch()) for c in (circuit, twin))
    assert ours.quantity.tolist() == theirs.quantity.tolist() and ours.value.notna().any()
    np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-9, atol=1e-12)
