"""What a user can do with a compiled circuit."""

import re
import warnings

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.plan.passes import rematerialization
from circuitsim.plan.quantities import synapse
from motifs import backprop, paper_sal

LAYERS = [6, 5, 4, 3]


@pytest.fixture
def circuit() -> cs.Circuit:
    return cs.compile(paper_sal(LAYERS, [7, 2], eta=0.25), replicas=3, seed=1, dtype="float64", device="cpu")


def batch(seed: int = 0, n: int = 10):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 6)), rng.integers(0, 3, n)


def run(circuit: cs.Circuit, n_steps: int, seed: int = 0) -> None:
    for k in range(n_steps):
        circuit.step(*batch(seed + k))


def test_predict_equals_the_output_of_a_cycle_and_changes_nothing(circuit):
    x, target = batch()
    before = circuit.weights("W0")
    predicted = circuit.predict(x)
    assert predicted.shape == (3, 10, 3) and torch.isfinite(predicted).all()
    circuit.cycle(x, target)
    torch.testing.assert_close(predicted, circuit.activity("up3"), rtol=1e-12, atol=0)
    assert torch.equal(circuit.weights("W0"), before) and circuit.n_steps == 0


def test_currents_are_those_of_the_cycle_and_not_of_the_changed_weights(circuit):
    x, target = batch()
    before = circuit.weights("V1"), circuit.weights("W1")
    circuit.step(x, target)
    for name, weights, pre in (("V1", before[0], "down1"), ("W1", before[1], "up1")):
        expected = circuit.activity(pre).numpy() @ weights.numpy().transpose(0, 2, 1)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(circuit.current(name).numpy(), expected, rtol=1e-12, atol=1e-14)


def test_nothing_can_be_read_of_a_cycle_before_there_was_one(circuit):
    with pytest.raises(cs.ParameterError, match=r"no activity of 'up1' yet: run circuit\.step"):
        circuit.activity("up1")


def test_a_frozen_projection_stays_and_a_thawed_one_goes_on(circuit):
    run(circuit, 2)
    circuit.freeze("V1", "W0")
    held = circuit.weights("V1"), circuit.weights("W0"), circuit.weights("Vt1")
    run(circuit, 3, seed=5)
    assert torch.equal(circuit.weights("V1"), held[0]) and torch.equal(circuit.weights("W0"), held[1])
    assert not torch.equal(circuit.weights("Vt1"), held[2])
    assert not circuit.synapse("V1", post=0, pre=0).plastic
    circuit.thaw("V1")
    run(circuit, 1, seed=9)
    assert not torch.equal(circuit.weights("V1"), held[0]) and torch.equal(circuit.weights("W0"), held[1])
    with pytest.raises(cs.ParameterError, match="'V3' is declared without plasticity"):
        circuit.thaw("V3")


def test_set_weights_writes_all_or_each_replica_and_refuses_what_does_not_fit(circuit):
    one = torch.arange(35.0).view(5, 7)
    circuit.set_weights("V1", one)
    assert torch.equal(circuit.weights("V1"), one.double().expand(3, 5, 7))
    each = torch.randn(3, 5, 7, dtype=torch.float64)
    circuit.set_weights("V1", each)
    assert torch.equal(circuit.weights("V1"), each)
    for wrong, message in (
        (np.zeros((7, 5)), r"weights have shape \(7, 5\), needs \(3, 5, 7\)"),
        (np.full((5, 7), np.nan), "not finite"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            circuit.set_weights("V1", wrong)
    assert torch.equal(circuit.weights("V1"), each)
    with pytest.raises(cs.ParameterError, match="there is no synapse"):
        circuit.set_weights("V3", np.ones((3, 3)))


def test_weights_are_a_copy(circuit):
    circuit.weights("W0").zero_()
    assert circuit.weights("W0").abs().min() > 0


def test_pruned_synapses_are_gone_for_good():
    circuit = cs.compile(backprop(LAYERS), replicas=2, dtype="float64", device="cpu")
    before = circuit.weights("W1")
    n_pruned = circuit.prune("W1", threshold=0.5)
    gone = before.abs() < 0.5
    assert n_pruned.tolist() == gone.sum((1, 2)).tolist() and 0 < n_pruned.min()
    run(circuit, 5)
    assert (circuit.weights("W1")[gone] == 0).all() and (circuit.weights("W1")[~gone] != 0).all()
    assert (circuit.weights("Wt1").transpose(1, 2)[gone] == 0).all()  # the tied projection too
    assert torch.equal(circuit.mask("Wt1"), circuit.mask("W1").transpose(1, 2))
    post, pre = np.argwhere(gone[0].numpy())[0]
    with pytest.raises(cs.ParameterError, match=f"no synapse from {pre} to {post}"):
        circuit.synapse("W1", post=int(post), pre=int(pre))
    assert len(list(circuit.synapses("W1"))) == int((~gone[0]).sum())


def test_a_synapse_of_the_size_of_the_threshold_stays():
    motif = cs.Motif("threshold")
    motif.add(cs.Population("x", 3), cs.Population("y", 1))
    motif.connect("x", "y", name="W", init=cs.Given([[0.25, -0.5, 0.75]]))
    circuit = cs.compile(motif, device="cpu")
    assert circuit.prune("W", threshold=0.5).tolist() == [1]
    assert circuit.weights("W").tolist() == [[[0.0, -0.5, 0.75]]]


def test_a_synapse_tells_all_about_itself():
    circuit = cs.compile(
        paper_sal(LAYERS, [7, 2]),
        replicas=2,
        dtype="float64",
        device="cpu",
        record_changes=True,
        vary={"W0.eta": [0.1, 0.2]},
    )
    before = circuit.weights("W0")
    circuit.step(*batch())
    synapse = circuit.synapse("W0", post=3, pre=2, replica=1)
    assert (synapse.pre, synapse.post, synapse.replica) == (("up0", 2), ("up1", 3), 1)
    assert synapse.weight == circuit.weights("W0")[1, 3, 2].item() and synapse.plastic
    assert synapse.parameters["eta"] == 0.2 and "slope_post * I_V1" in synapse.rule
    np.testing.assert_allclose(synapse.last_change, synapse.weight - before[1, 3, 2].item(), rtol=1e-9)
    assert circuit.synapse("V3", post=1, pre=1).rule is None
    with pytest.raises(cs.ParameterError, match=r"pre must be in 0 \.\. 5 \(got 6\)"):
        circuit.synapse("W0", post=0, pre=6)
    with pytest.raises(cs.ParameterError, match=r"replica must be in 0 \.\. 1"):
        circuit.synapse("W0", post=0, pre=0, replica=2)
    with pytest.raises(cs.MotifError, match="no projection 'W9'"):
        circuit.synapse("W9", post=0, pre=0)


def test_the_table_holds_every_synapse_once(circuit):
    run(circuit, 1)
    table = circuit.table(replica=2)
    n_synapses = 6 * 5 + 5 * 4 + 4 * 3 + 2 * 5 * 7 + 2 * 4 * 2 + 7 * 2 + 2 * 3 + 3
    assert len(table) == n_synapses and not table.duplicated(["projection", "pre", "post"]).any()
    row = table[(table.projection == "Wt1") & (table.pre == 1) & (table.post == 6)].iloc[0]
    assert row.weight == circuit.weights("Wt1")[2, 6, 1].item()
    assert (row.pre_population, row.post_population) == ("down2", "down1")
    assert table.last_change.isna().all()  # not recorded
    compartments = table.groupby("projection").compartment.unique().str[0].to_dict()
    assert compartments == {p.name: p.compartment for p in circuit.motif.projections}
    assert table.rule[table.projection == "V3"].isna().all() and not table.rule[table.projection == "V1"].isna().any()


def test_the_table_of_all_replicas_has_weights_parameters_and_changes_of_each():
    motif = paper_sal(LAYERS).replace(
        "W0", rule=cs.Rule("eta * (slope_post * I_V1 * pre - weight * w)", eta=1, weight=0.5)
    )
    options = {"dtype": "float64", "device": "cpu", "record_changes": True, "vary": {"W0.eta": [0.1, 0.2]}}
    circuit = cs.compile(motif, replicas=2, **options)
    circuit.step(*batch())
    table = circuit.table("W0")
    assert list(table) == [
        "projection", "pre_population", "pre", "post_population", "post", "replica", "compartment", "weight",
        "plastic", "rule", "eta", "rule_weight", "last_change",
    ]  # fmt: skip
    where = table.replica.to_numpy(), table.post.to_numpy(), table.pre.to_numpy()
    assert len(table) == 2 * 5 * 6 and not table.duplicated(["replica", "post", "pre"]).any()
    np.testing.assert_array_equal(table.weight, circuit.weights("W0").numpy()[where])
    np.testing.assert_array_equal(table.last_change, circuit.last_change("W0").numpy()[where])
    np.testing.assert_array_equal(table.eta, np.array([0.1, 0.2])[table.replica])
    assert table.last_change.abs().min() > 0 and set(table.rule_weight) == {0.5}
    assert set(table.rule) == {motif.projection("W0").rule.expression}


def test_the_connectome_is_the_weights_as_a_graph(circuit):
    graph = circuit.connectome(replica=1)
    assert graph.number_of_nodes() == 6 + 5 + 4 + 3 + 7 + 2 + 3
    assert graph.number_of_edges() == len(circuit.table(replica=1))
    assert graph.edges[("up0", 2), ("up1", 3), "W0"]["weight"] == circuit.weights("W0")[1, 3, 2].item()
    strong = circuit.connectome(replica=1, threshold=0.3)
    assert strong.number_of_edges() == int((circuit.table(replica=1).weight.abs() >= 0.3).sum())


def test_per_synapse_parameters_reach_their_synapse():
    rates = np.linspace(0.0, 0.5, 20).reshape(4, 5)
    motif = cs.Motif("hebb")
    motif.add(cs.Population("x", 5), cs.Population("y", 4))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * post * pre", eta=rates))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    before = circuit.weights("W").numpy()
    x = np.random.default_rng(0).standard_normal((7, 5))
    circuit.step(x)
    for r in range(2):
        expected = before[r] + rates * ((x @ before[r].T).T @ x) / 7
        np.testing.assert_allclose(circuit.weights("W")[r].numpy(), expected, rtol=1e-12)
    assert circuit.synapse("W", post=3, pre=4).parameters["eta"] == 0.5


def test_eta_scale_multiplies_every_eta_and_nothing_else(circuit):
    twin = cs.compile(paper_sal(LAYERS, [7, 2], eta=0.125), replicas=3, seed=1, dtype="float64", device="cpu")
    circuit.eta_scale = 0.5
    run(circuit, 3)
    run(twin, 3)
    for name in ("W0", "V1", "Wt2"):
        torch.testing.assert_close(circuit.weights(name), twin.weights(name), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicas": 0}, "replicas must be a whole number, 1 or more"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
        ({"dtype": "float16"}, "dtype must be one of"),
        ({"record_changes": "no"}, "record_changes must be True or False"),
        ({"device": "cuda:99"}, "device 'cuda:99' is not available"),
        ({"device": "abacus"}, "device 'abacus' is not available"),
        ({"vary": {"W0.etta": [1.0]}}, "unknown path 'W0.etta'"),
        ({"replicas": 2, "vary": {"W0.eta": [1.0]}}, "needs 2 finite values"),
    ],
)
def test_compile_refuses_bad_arguments_by_name(options, message):
    with pytest.raises(cs.ParameterError, match=message):
        cs.compile(paper_sal(LAYERS), **options)


@pytest.mark.parametrize(
    ("x", "target", "message"),
    [
        (np.zeros((4, 5)), np.zeros(4, int), r"input 'up0' has shape \[4, 5\], needs \[batch, 6\]"),
        (np.zeros((4, 6)), np.zeros(3, int), r"target of 'up3': target has shape \(3,\)"),
        (np.zeros((4, 6)), np.zeros(4), "must hold class indices"),
        (np.zeros((4, 6)), np.full(4, 3), r"classes must be in 0 .. 2 \(got 3 .. 3\)"),
        (np.zeros((4, 6)), None, "target is missing"),
        ({"up1": np.zeros((4, 6))}, np.zeros(4, int), r"given for \['up1'\], needed for \['up0'\]"),
        (np.zeros((0, 6)), np.zeros(0, int), "the batch is empty"),
        (np.array([["a"] * 6]), np.zeros(1, int), "convert it to numbers"),
        (np.zeros((4, 6)), [1, 2, 3, 1], r"0 .. 2 \(got 1 .. 3\): classes count from 0, so subtract 1"),
        (
            np.zeros((3, 6)),
            np.eye(3, dtype=int),
            r"shape \(3, 3\), .*one-hot vectors pass target.argmax.-1., for classes of",
        ),
        (
            np.zeros((3, 6)),
            np.eye(3),
            r"target has shape \(3, 3\), needs .batch. with batch = 3: for one-hot vectors pass",
        ),
        (
            np.zeros((4, 6)),
            np.eye(3, dtype=int)[[0, 1, 2, 0]],
            r"shape \(4, 3\), .*one-hot vectors pass target.argmax.-1.$",
        ),
        (np.zeros((4, 6)), np.ones((3, 4, 3)), r"shape \(3, 4, 3\), .*one-hot vectors pass target.argmax.-1.$"),
    ],
)
def test_a_step_refuses_data_that_does_not_fit_and_changes_nothing(circuit, x, target, message):
    before = circuit.weights("W0")
    with pytest.raises(cs.DataError, match=message):
        circuit.step(x, target)
    assert torch.equal(circuit.weights("W0"), before) and circuit.n_steps == 0


def test_classes_of_each_replica_are_taken_where_they_cannot_be_one_hot(circuit):
    x, _ = batch(0, 3)
    target = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 1]])  # as many replicas as samples and classes
    loss = circuit.cycle(x, target).loss
    each = [circuit.cycle(x, classes).loss[r] for r, classes in enumerate(target)]
    assert torch.isfinite(loss).all()
    torch.testing.assert_close(loss, torch.stack(each), rtol=1e-12, atol=0)
    for one_hot in (np.eye(3, dtype=int), np.eye(3, dtype=int)[[0, 0, 0]]):
        with pytest.raises(cs.DataError, match="one-hot"):
            circuit.cycle(x, one_hot)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_pixels_from_0_to_255_are_pointed_out(circuit, kind):
    pixels = np.full((2, 6), 255, dtype=np.uint8)
    with pytest.warns(cs.UnscaledInputWarning, match="input 'up0' reaches 254"):
        circuit.predict(kind(pixels - 1))  # an image without a white pixel
    for act in (lambda x: circuit.step(x, [0, 1]), circuit.predict):
        with pytest.warns(
            cs.UnscaledInputWarning, match="input 'up0' reaches 255, like the pixels of an image: divide"
        ) as caught:
            act(kind(pixels))
        assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        circuit.predict(kind(pixels // 4))


def test_check_names_what_ran_away(circuit):
    circuit.check()
    weights = circuit.weights("V2")
    weights[1, 0, 0] = 2e4
    circuit.set_weights("V2", weights)
    with pytest.raises(cs.SimulationDiverged, match="projection 'V2' of replica 1 ran away") as caught:
        circuit.check()
    assert (caught.value.projection, caught.value.replica, caught.value.step) == ("V2", 1, 0)


def test_a_pinned_replica_stays_and_the_others_go_on_bit_for_bit():
    def make() -> cs.Circuit:
        return cs.compile(paper_sal(LAYERS), replicas=3, device="cpu")

    alone, pinning = make(), make()
    pinning.pin_replica(1)
    start = pinning.weights("W0")[1]
    run(alone, 10)
    run(pinning, 10)
    for p in pinning.motif.projections:
        for r in (0, 2):
            assert torch.equal(pinning.weights(p.name)[r], alone.weights(p.name)[r])
    assert torch.equal(pinning.weights("W0")[1], start) and pinning.pinned == (1,)


def test_a_released_replica_learns_from_the_weights_it_was_pinned_to_as_a_new_circuit_would():
    circuit = cs.compile(paper_sal(LAYERS), replicas=2, device="cpu", dtype="float64")
    start, drawn = circuit.snapshot(), circuit.weights("W0")[1]
    run(circuit, 3)
    circuit.pin_replica(1, start)
    run(circuit, 2)
    circuit.release_replica(1)
    assert circuit.pinned == ()
    run(circuit, 5)
    fresh = cs.compile(paper_sal(LAYERS), seed=1, device="cpu", dtype="float64")
    run(fresh, 5)
    for p in circuit.motif.projections:
        torch.testing.assert_close(circuit.weights(p.name)[1], fresh.weights(p.name)[0], rtol=0, atol=1e-10)
        assert torch.isfinite(circuit.weights(p.name)).all()
    assert not torch.equal(circuit.weights("W0")[1], drawn)


@pytest.mark.parametrize("replica", [-1, 2, True, "1", 0.5, [1]])
def test_what_is_no_replica_is_neither_pinned_nor_released(replica):
    circuit = cs.compile(paper_sal(LAYERS), replicas=2, device="cpu")
    circuit.pin_replica(0)
    for call in (
        lambda: circuit.pin_replica(replica),
        lambda: circuit.release_replica(replica),
        lambda: circuit.synapse("W0", post=0, pre=0, replica=replica),
        lambda: circuit.table("W0", replica),
        lambda: circuit.connectome(replica),
    ):
        with pytest.raises(cs.ParameterError, match=rf"replica must be in 0 .. 1 .got {re.escape(repr(replica))}"):
            call()
    with pytest.raises(cs.ParameterError, match=r"replica 1 is not pinned \(pinned: \[0\]\)"):
        circuit.release_replica(1)
    assert circuit.synapse("W0", post=0, pre=0, replica=np.int64(1)).replica == 1


@pytest.mark.parametrize("neuron", [True, 0.5, -1, 99, "0"])
def test_what_is_no_neuron_has_no_synapse(neuron):
    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    for ends in ({"post": neuron, "pre": 0}, {"post": 0, "pre": neuron}):
        with pytest.raises(cs.ParameterError, match=rf"'W0': (post|pre) must be in 0 .. \d+ .got {neuron!r}"):
            circuit.synapse("W0", **ends)


@pytest.mark.parametrize("max_weight", [float("nan"), 0, -1.0, True, "much"])
def test_a_limit_of_weights_that_is_no_positive_number_is_refused(max_weight):
    with pytest.raises(cs.ParameterError, match=f"max_weight must be a positive number .got {max_weight!r}"):
        cs.compile(paper_sal(LAYERS), device="cpu").check(max_weight)


def test_the_value_of_an_expression_in_parameters():
    motif = cs.Motif("rates")
    motif.add(cs.Population("x", 2), cs.Population("y", 2))
    d = np.array([[1.0, -2.0], [3.0, -4.0]])
    rule = cs.Rule("sqrt(g)**3 * pre * post - abs(d) * where(g > 4, 2, 1) / 3 * w", g=4.0, d=d)
    motif.connect("x", "y", name="W", rule=rule)
    circuit = cs.compile(motif, replicas=2, vary={"W.g": [4.0, 9.0]}, dtype="float64", device="cpu")
    decay, drive = circuit.plan.projections["W"].rule.terms
    assert drive.has_data and not decay.has_data
    np.testing.assert_allclose(circuit.value(drive.coefficient).flatten(), [8.0, 27.0], rtol=1e-14)
    found = circuit.value(decay.coefficient * decay.weight / synapse("w", "W")).numpy()
    np.testing.assert_allclose(found, -np.abs(d) * np.array([1.0, 2.0])[:, None, None] / 3, rtol=1e-14)


def test_float32_follows_float64():
    losses = []
    for dtype in ("float32", "float64"):
        circuit = cs.compile(paper_sal(LAYERS), seed=2, dtype=dtype, device="cpu")
        for k in range(20):
            loss = circuit.step(*batch(k)).loss
        assert circuit.weights("W0").dtype == getattr(torch, dtype) and torch.isfinite(loss).all()
        losses.append(loss.item())
    assert abs(losses[0] - losses[1]) < 1e-5 and losses[0] != losses[1]


def test_the_program_prints_its_sweeps_currents_and_changes_in_order(circuit):
    text = str(circuit.program)
    order = ["up1.activity =", "up3.activity =", "down3.activity =", "down1.activity =", "I_V1 =", "W0:w +="]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "W0:w += W0:eta * E[[up1.drive > 0] I_V1 (x) up0.trace] - W0:eta * W0:gamma * W0:w" in text


def test_no_autograd_graph_is_kept(circuit):
    x, target = batch()
    result = circuit.step(torch.tensor(x, requires_grad=True), target)
    assert not result.loss.requires_grad and not circuit.activity("up3").requires_grad
    assert not circuit.weights("W0").requires_grad


@pytest.mark.device
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_agrees_with_the_cpu():
    pair = [cs.compile(paper_sal(LAYERS), replicas=2, dtype="float64", device=device) for device in ("cpu", "cuda")]
    for k in range(20):
        losses = [circuit.step(*batch(k)).loss.cpu() for circuit in pair]
        torch.testing.assert_close(losses[0], losses[1], rtol=1e-10, atol=0)
    for p in pair[0].motif.projections:
        torch.testing.assert_close(pair[0].weights(p.name), pair[1].weights(p.name).cpu(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "runs_away"),
    [("1e308", True), ("1e308 * pre", True), ("eta**9 * (pre * post - w)", True), ("minimum(w, 1e308)", False)],
)
def test_numbers_beyond_float32_are_infinite_there_and_a_runaway_is_told(rule, runs_away):
    motif = paper_sal([4, 3, 2]).replace("W0", rule=cs.Rule(rule, eta=1e30), bounds=(-1e308, 1e308))
    single, double = (cs.compile(motif, device="cpu", dtype=dtype) for dtype in ("float32", "float64"))
    for circuit in (single, double):
        circuit.step(np.ones((2, 4)), [0, 1])
    assert torch.isfinite(double.weights("W0")).all()
    assert [runaway.projection for runaway in single.runaways()] == (["W0"] if runs_away else [])


def test_what_a_signals_function_keeps_can_be_used_for_training():
    """The step runs in torch's inference mode, whose tensors autograd refuses."""
    motif = cs.Motif("rewarded")
    motif.add(cs.Population("x", 3), cs.Population("y", 2), cs.Signal("reward"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), rule=cs.Rule("reward * pre * post"))
    circuit, kept = cs.compile(motif, device="cpu"), []

    def reward(c: cs.Circuit) -> torch.Tensor:
        kept.append(c.activity("y"))
        return kept[0].sum(-1)

    circuit.step(torch.ones(2, 3), signals={"reward": reward})
    critic = torch.nn.Linear(2, 1)
    critic(kept[0]).sum().backward()
    torch.testing.assert_close(critic.weight.grad, torch.full((1, 2), 2 * 1.5))  # two samples, y = 3 * 0.5


def test_a_drive_that_was_written_over_is_computed_again_to_float64(monkeypatch):
    monkeypatch.setattr(rematerialization, "LARGE", 0)
    motif = cs.Motif("written over")
    motif.add(cs.Population("x", 3), cs.Population("y", 4, activation="relu"), cs.Population("z", 2, activation="relu"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.3))
    motif.connect("y", "z", name="U", init=cs.Constant(0.7), rule="eta", parameters={"eta": 0.1 / 3})
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    x = np.random.default_rng(0).uniform(size=(5, 3))
    circuit.step(x)
    assert "z.drive" not in circuit._runner.last.program.readable  # so that the test is about something
    expected = np.repeat(4 * 0.7 * 0.3 * x.sum(1, keepdims=True), 2, axis=1)
    np.testing.assert_allclose(circuit.drive("z")[0].numpy(), expected, rtol=1e-14)


def test_after_a_step_that_fails_nothing_can_be_read_of_it_and_nothing_has_changed(circuit):
    x, target = batch()
    circuit.step(x, target)
    before, activity = circuit.weights("W0"), circuit.activity("up1")
    x[3, 2] = np.nan
    with pytest.raises(cs.DataError, match="1 values are not finite"):
        circuit.predict(x)
    torch.testing.assert_close(circuit.activity("up1"), activity, rtol=0, atol=0)
    with pytest.raises(cs.DataError, match="1 values are not finite"):
        circuit.step(x, target)
    assert torch.equal(circuit.weights("W0"), before) and circuit.n_steps == 1
    with pytest.raises(cs.ParameterError, match="no activity of 'up1' yet"):
        circuit.activity("up1")


def test_a_recorded_change_is_what_decay_and_bounds_leave_of_it():
    motif = cs.Motif("recorded")
    motif.add(cs.Population("x", 3), cs.Population("y", 2), cs.Phase("first"), cs.Phase("then"))
    motif.connect("x", "y", name="W", bounds=(-0.4, 0.4), rule="eta * post * pre - gamma * w",
                  parameters={"eta": 0.3, "gamma": [0.1, 0.2]})  # fmt: skip
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu", record_changes=True)
    x, before = np.random.default_rng(0).standard_normal((5, 3)), circuit.weights("W").numpy()
    circuit.step(x)
    for r, gamma in enumerate((0.1, 0.2)):
        w, free = before[r], before[r]
        for _ in range(2):
            w, free = (v + 0.3 * (x @ w.T).T @ x / 5 - gamma * v for v in (w, free))
            w = np.clip(w, -0.4, 0.4)
        assert (np.abs(w - free) > 1e-3).any()
        np.testing.assert_allclose(circuit.last_change("W")[r].numpy(), w - before[r], rtol=1e-12, atol=1e-15)


def test_the_last_change_survives_a_step_that_fails():
    circuit = cs.compile(paper_sal(LAYERS), dtype="float64", device="cpu", record_changes=True)
    x, target = batch()
    before = circuit.weights("W0")
    circuit.step(x, target)
    change = circuit.weights("W0") - before
    with pytest.raises(cs.DataError, match=r"classes must be in 0 .. 2 \(got 0 .. 7\)"):
        circuit.step(x, np.where(np.arange(len(target)) == 4, 7, target * 0))
    torch.testing.assert_close(circuit.last_change("W0"), change, rtol=1e-9, atol=1e-15)
