"""`fit`: batches in, a history out, nothing lost."""

import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch

import circuitsim as cs
from motifs import backprop, paper_sal, reward_modulated

LAYERS = [12, 10, 4]


@pytest.fixture(scope="module")
def data() -> cs.Dataset:
    return cs.load_dataset("teacher", n_features=12, n_outputs=4, n_samples=600)


def make(**options) -> cs.Circuit:
    return cs.compile(backprop(LAYERS, eta=0.2), device="cpu", **options)


def test_fit_is_step_on_the_minibatches_of_its_seed(data):
    one, two = make(replicas=2, dtype="float64"), make(replicas=2, dtype="float64")
    cs.fit(one, data, epochs=2, batch_size=50, data_seed=7, schedule="cosine", progress=False)
    n_steps = 2 * -(-len(data.train) // 50)
    for epoch in range(2):
        for x, target in cs.minibatches(data.train, 50, seed=7, epoch=epoch):
            two.eta_scale = 0.5 * (1 + np.cos(np.pi * two.n_steps / n_steps))
            two.step(x.double(), target)
    assert one.n_steps == two.n_steps == n_steps and one.eta_scale == 1.0
    for p in one.motif.projections:
        assert torch.isfinite(one.weights(p.name)).all()
        torch.testing.assert_close(one.weights(p.name), two.weights(p.name), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [lambda **o: make(replicas=2, **o), lambda **o: cs.compile(paper_sal(LAYERS), **o)])
def test_several_calls_do_what_one_call_does(data, make, dtype, tmp_path):
    whole, pieces, looped = make(dtype=dtype), make(dtype=dtype), make(dtype=dtype)
    options = {"batch_size": 50, "data_seed": 5, "progress": False}
    history = cs.fit(whole, data, epochs=4, **options)
    curves = [cs.fit(pieces, data, **options).curve("loss", "online") for _ in range(2)]
    pieces.save(tmp_path / "c")
    pieces = cs.load_circuit(tmp_path / "c", device="cpu")
    curves.append(cs.fit(pieces, data, epochs=2, **options).curve("loss", "online"))
    for epoch in range(4):
        for x, target in cs.minibatches(data.train, 50, seed=5, epoch=epoch):
            looped.step(x.to(looped.dtype), target)
    assert whole.condition() == pieces.condition() and whole.n_epochs == 4 and looped.n_epochs == 0
    pd.testing.assert_frame_equal(pd.concat(curves), history.curve("loss", "online"))
    assert np.isfinite(pd.concat(curves)).to_numpy().all() and curves[0].iat[0, 0] != curves[1].iat[0, 0]
    for p in whole.motif.projections:
        assert torch.isfinite(whole.weights(p.name)).all()
        assert torch.equal(whole.weights(p.name), pieces.weights(p.name))
        assert torch.equal(whole.weights(p.name), looped.weights(p.name))


def test_a_replica_runs_away_in_several_calls_as_in_one():
    """It grows by a quarter in each step, passes 10,000 after 42 steps, in the second epoch, and is found after 50."""
    motif = cs.Motif("growth")
    motif.add(cs.Population("x", 1), cs.Population("y", 1))
    motif.connect("x", "y", name="W", init=cs.Constant(1.0), rule=cs.Rule("eta * w", eta=[0.0, 0.25]))
    whole, pieces = (cs.compile(motif, replicas=2, device="cpu", dtype="float64") for _ in range(2))
    batches = [(np.ones((1, 1)), None)] * 35
    (report,) = cs.fit(whole, batches, epochs=3, progress=False).runaways
    found = [cs.fit(pieces, batches, progress=False).runaways for _ in range(3)]
    assert found == [[], [report], [report]] and (report["replica"], report["step"]) == (1, 50)
    np.testing.assert_allclose(whole.weights("W")[1].item(), 1.25**35, rtol=1e-12)
    assert torch.equal(whole.weights("W"), pieces.weights("W")) and whole.pinned == pieces.pinned == (1,)


def test_a_schedule_multiplies_the_factor_of_the_user_which_stays(data):
    scaled, plain = make(), cs.compile(backprop(LAYERS, eta=0.1), device="cpu")
    scaled.eta_scale, seen = 0.5, []
    for circuit in (scaled, plain):
        probe = cs.Probe(lambda c: seen.append(c.eta_scale), every_steps=1)
        cs.fit(circuit, data, epochs=2, schedule="cosine", progress=False, probes={"look": probe})
    assert scaled.eta_scale == 0.5 and set(seen) == {0.5, 1.0}
    assert torch.equal(scaled.weights("W0"), plain.weights("W0"))


def hebbian(**rates) -> cs.Circuit:
    motif = cs.Motif("hebb")
    motif.add(cs.Population("x", 12), cs.Population("y", 3))
    for name, rate in rates.items():
        motif.connect("x", "y", name=name, rule=cs.Rule(f"{rate} * (post * pre - post**2 * w)", **{rate: 0.01}))
    return cs.compile(motif, device="cpu")


def test_a_schedule_of_a_rate_that_no_rule_reads_is_refused(data):
    motif = hebbian(A="rate").motif
    unread = motif.replace("A", rule=cs.Rule("0.01 * (post * pre - post**2 * w)", eta=0.01))
    with pytest.raises(cs.ParameterError, match=r"no projection of 'hebb' that learns has one \(.*A: none\)"):
        cs.fit(cs.compile(unread, device="cpu"), data, schedule="cosine", progress=False)


@pytest.mark.parametrize("schedule", ["cosine", lambda progress: 1.0 - progress])
def test_a_schedule_that_reaches_no_rate_is_refused(data, schedule):
    circuit = hebbian(A="rate", B="speed")
    message = r"multiplies parameters called eta, .* of 'hebb' that learns has one \(.*A: rate; B: speed\)"
    for wanted in (message, r"that learn: B: speed\)", "nothing learns"):
        with pytest.raises(cs.ParameterError, match=wanted):
            cs.fit(circuit, data, schedule=schedule, progress=False)
        circuit.freeze("B" if "B" in wanted and wanted != message else "A")
    frozen = hebbian(A="rate", B="eta")
    frozen.freeze("B")
    with pytest.raises(cs.ParameterError, match="A: rate"):
        cs.fit(frozen, data, schedule=schedule, progress=False)
    frozen.thaw("B")
    cs.fit(frozen, data, schedule=schedule, progress=False)
    cs.fit(circuit, data, schedule="constant", progress=False)  # changes nothing, and need not
    assert circuit.n_steps == frozen.n_steps == 2


def test_a_circuit_whose_replicas_are_all_pinned_is_refused(data):
    circuit = make(replicas=2)
    circuit.pin_replica(0)
    circuit.pin_replica(1)
    with pytest.raises(cs.ParameterError, match="every replica of the circuit is pinned, .* circuit.release_replica"):
        cs.fit(circuit, data, progress=False)
    assert not cs.fit(circuit, data, epochs=0, progress=False).interrupted  # which learns nothing anyway


def test_learning_beats_chance_by_far_and_the_history_says_so(data):
    circuit = make(replicas=2)
    history = cs.fit(circuit, data, epochs=15, batch_size=32, progress=False)
    table = history.to_pandas()
    assert set(table.split) == {"online", "train", "validation", "test"}
    assert np.isfinite(table.value).all()
    loss = history.curve("loss", "online")
    assert list(loss.columns) == [0, 1] and len(loss) == 15 and (loss.iloc[-1] < 0.8 * loss.iloc[0]).all()
    assert (history.final("accuracy", "test") > 0.5).all()  # four classes
    assert len(history.curve("accuracy", "validation")) == 15
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(history.final("accuracy", split), cs.evaluate(circuit, data, split)["accuracy"])


def test_the_online_mean_is_the_mean_of_the_steps(data):
    circuit, twin = make(dtype="float64"), make(dtype="float64")
    history = cs.fit(circuit, data, epochs=1, batch_size=60, data_seed=3, progress=False)
    losses, accuracies = [], []
    for x, target in cs.minibatches(data.train, 60, seed=3):
        losses.append(twin.step(x.double(), target).loss.item())
        accuracies.append((twin.activity("up2")[0].argmax(-1) == target).double().mean().item())
    np.testing.assert_allclose(history.final("loss", "online"), np.mean(losses), rtol=1e-10)
    np.testing.assert_allclose(history.final("accuracy", "online"), np.mean(accuracies), rtol=1e-6)


def test_arrays_a_dataset_and_a_dataloader_of_the_same_batches_train_alike(data):
    x, target = data.train.x, data.train.target
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, target), batch_size=40)
    in_order = [(x[k : k + 40], target[k : k + 40]) for k in range(0, len(x), 40)]
    trained = []
    for source in (loader, in_order):
        circuit = make()
        cs.fit(circuit, source, epochs=2, progress=False)
        trained.append(circuit.weights("W0"))
    assert torch.equal(trained[0], trained[1])
    circuit, twin = make(), make()
    cs.fit(circuit, (x.numpy(), target.numpy()), epochs=1, batch_size=40, progress=False)
    cs.fit(twin, cs.Dataset.from_arrays(x, target), epochs=1, batch_size=40, progress=False)
    assert torch.equal(circuit.weights("W0"), twin.weights("W0"))


def test_probes_are_called_when_they_are_due_and_land_in_the_history(data):
    circuit = make(replicas=2)
    per_epoch = -(-len(data.train) // 100)
    calls, sevenths = [], []
    history = cs.fit(
        circuit, data, epochs=4, batch_size=100, progress=False,
        probes={
            "norm": lambda c: c.weights("W0").flatten(1).norm(dim=1),
            "weights": cs.Probe(lambda c: c.weights("W1"), every_epochs=2),
            "steps": cs.Probe(lambda c: calls.append(c.n_steps) or {"n": float(c.n_steps)}, every_steps=3),
            "sevenths": cs.Probe(lambda c: sevenths.append(c.n_steps), every_steps=7),
        },
    )  # fmt: skip
    norm = history.curve("norm", "probe")
    assert list(norm.index) == [0.0, 1.0, 2.0, 3.0, 4.0]
    np.testing.assert_allclose(norm.iloc[-1], circuit.weights("W0").flatten(1).norm(dim=1), rtol=1e-6)
    assert [step for step, _ in history.records["weights"]] == [0, 2 * per_epoch, 4 * per_epoch]
    assert calls == [0, *range(3, 4 * per_epoch, 3), 4 * per_epoch]
    assert sevenths == [0, 7, 14, 20] and circuit.n_steps == 20  # at the end too, once
    assert history.final("n", "probe").tolist() == [calls[-1]] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every_epochs": None}, "Probe: every_epochs must be a whole number, 1 or more (got None)"),
        ({"every_epochs": 0}, "Probe: every_epochs must be a whole number, 1 or more (got 0)"),
        ({"every_steps": 2.0}, "Probe: every_steps must be a whole number, 1 or more (got 2.0)"),
        ({"every_steps": True}, "Probe: every_steps must be a whole number, 1 or more (got True)"),
    ],
)
@pytest.mark.parametrize("kind", [lambda **o: cs.Probe(len, **o), cs.WeightProbe])
def test_an_interval_of_a_probe_is_a_whole_number(kind, options, message):
    with pytest.raises(cs.ParameterError) as caught:
        kind(**options)
    assert str(caught.value) == message


def test_whole_numbers_of_numpy_are_taken(data, tmp_path):
    numbers = {"epochs": np.int64(2), "batch_size": np.int32(210), "data_seed": np.uint8(1)}
    calls, circuit = [], make()
    probe = cs.Probe(lambda c: calls.append(c.n_steps), every_steps=np.int64(3))
    options = {"probes": {"steps": probe}, "checkpoint": tmp_path / "run.safetensors", "progress": False}
    cs.fit(circuit, data, **numbers, **options)
    assert calls == [0, 3, 4]
    same = {name: int(value) for name, value in numbers.items()}
    cs.fit(circuit, data, resume=True, **same, **options)
    assert circuit.n_steps == 4


def test_alignment_as_a_probe_lands_by_site(data):
    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    batch = data.validation
    history = cs.fit(
        circuit, data, epochs=2, batch_size=50, progress=False,
        probes={"alignment": lambda c: cs.alignment(c, batch.x, batch.target)},
    )  # fmt: skip
    curve = history.curve("gradient_cosine", site="W0")
    assert len(curve) == 3 and np.isfinite(curve.to_numpy()).all()
    last = cs.alignment(circuit, batch.x, batch.target)
    expected = last[(last.quantity == "gradient_cosine") & (last.site == "W0")].value
    np.testing.assert_allclose(curve.iloc[-1], expected, rtol=1e-6)


def test_a_runaway_replica_is_pinned_and_reported_and_the_others_do_not_notice(data, tmp_path):
    rates = [0.2, 1e4, 0.1]
    vary = {f"W{k}.eta": rates for k in range(2)}
    circuit = make(replicas=3, vary=vary)
    history = cs.fit(circuit, data, epochs=3, batch_size=32, progress=False)
    assert [r["replica"] for r in history.runaways] == [1] and circuit.pinned == (1,)
    assert history.runaways[0]["projection"] in ("W0", "W1") and history.runaways[0]["reason"] == "|w| is nan"
    for p in circuit.motif.projections:
        assert torch.isfinite(circuit.weights(p.name)).all()
    tame = make(replicas=3, vary={path: [0.2, 0.0, 0.1] for path in vary})
    cs.fit(tame, data, epochs=3, batch_size=32, progress=False)
    for r in (0, 2):
        assert torch.equal(circuit.weights("W0")[r], tame.weights("W0")[r])
    table = history.to_pandas()
    assert list(table.runaway) == list(table.replica == 1) and (table.metric == "accuracy").any()
    assert np.isfinite(history.final("accuracy", "test")).tolist() == [True, False, True]
    circuit.save(tmp_path / "c")
    for later in (circuit, cs.load_circuit(tmp_path / "c", device="cpu")):
        found = cs.fit(later, data, epochs=1, batch_size=32, progress=False)
        assert found.runaways == history.runaways and np.isnan(found.final("accuracy", "test")[1])
    circuit.pin_replica(0)  # as its user wishes: it has learned
    found = cs.fit(circuit, data, epochs=1, batch_size=32, progress=False)
    assert np.isfinite(found.final("accuracy", "test")).tolist() == [True, False, True]
    circuit.release_replica(0)
    circuit.release_replica(1, dict.fromkeys(vary, 0.1))
    again = cs.fit(circuit, data, epochs=3, batch_size=32, progress=False)
    assert again.runaways == [] and circuit.pinned == () and not again.to_pandas().runaway.any()
    assert again.varied["W0.eta"] == (0.2, 0.1, 0.1)


def test_the_table_says_what_varied_from_replica_to_replica(data, tmp_path):
    vary = {"W0.eta": [0.2, 0.05], "W1.gamma": [0.0, 1e-3]}
    history = cs.fit(make(replicas=2, vary=vary), data, epochs=1, progress=False)
    table = history.to_pandas()
    accuracies = table[(table.metric == "accuracy") & (table.split == "validation")]
    assert list(accuracies["W0.eta"]) == [0.2, 0.05] and list(accuracies["W1.gamma"]) == [0.0, 1e-3]
    read = cs.History.load(history.save(tmp_path / "history.csv"))
    pd.testing.assert_frame_equal(read.to_pandas(), table, check_dtype=False)
    assert read.varied == {path: tuple(values) for path, values in vary.items()}


def test_when_none_is_left_or_raise_is_asked_for_the_error_says_where_and_the_state_is_good(data):
    for options, vary in (({}, [1e4]), ({"on_divergence": "raise"}, [1e4])):
        circuit = make(vary={f"W{k}.eta": vary for k in range(2)})
        with pytest.raises(cs.SimulationDiverged, match="of replica 0 ran away at step") as caught:
            cs.fit(circuit, data, epochs=2, batch_size=32, progress=False, **options)
        assert caught.value.step > 0 and caught.value.history.runaways
        assert torch.isfinite(circuit.weights("W0")).all() and circuit.eta_scale == 1.0


def test_ctrl_c_stops_after_a_whole_step_and_keeps_the_history(data):
    circuit, handler = make(), signal.getsignal(signal.SIGINT)
    probe = cs.Probe(lambda c: os.kill(os.getpid(), signal.SIGINT) if c.n_steps == 12 else None, every_steps=1)
    history = cs.fit(circuit, data, epochs=50, batch_size=100, progress=False, probes={"stop": probe})
    assert history.interrupted and circuit.n_steps == 12 and circuit.eta_scale == 1.0
    assert circuit.n_epochs == 2  # of five steps each; the third was not finished
    assert np.isfinite(history.final("accuracy", "test")).all()
    assert history.curve("loss", "online").index.tolist() == [1.0, 2.0, 2.4]  # epochs, of which the last is a part
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("step", [5, 10, 15])
def test_ctrl_c_in_the_last_step_of_an_epoch_comes_after_a_whole_epoch(data, step, tmp_path):
    options = {"batch_size": 100, "progress": False}  # five steps each epoch
    whole, pieces = make(), make()
    cs.fit(whole, data, epochs=3, **options)
    probe = cs.Probe(lambda c: os.kill(os.getpid(), signal.SIGINT) if c.n_steps == step else None, every_steps=1)
    first = cs.fit(pieces, data, epochs=3, probes={"stop": probe}, checkpoint=tmp_path / "c", **options)
    assert pieces.n_epochs == step // 5 and pieces.n_steps == step and first.interrupted == (step < 15)
    assert first.curve("loss", "online").index[-1] == step // 5
    resumed = make()
    cs.fit(resumed, data, epochs=3, checkpoint=tmp_path / "c", resume=True, **options)
    cs.fit(pieces, data, epochs=3 - step // 5, **options)
    for p in whole.motif.projections:
        assert torch.equal(whole.weights(p.name), pieces.weights(p.name))
        assert torch.equal(whole.weights(p.name), resumed.weights(p.name))


def test_a_history_survives_its_csv_file(data, tmp_path):
    history = cs.fit(make(replicas=2), data, epochs=2, batch_size=100, progress=False)
    history.add(step=99, epoch=2, split="probe", metric="undefined", values=[np.nan, 1.0])
    read = cs.History.load(history.save(tmp_path / "run" / "history.csv"))
    pd.testing.assert_frame_equal(read.to_pandas(), history.to_pandas(), check_dtype=False)
    with pytest.raises(cs.ParameterError, match="no metric 'acuracy'"):
        history.curve("acuracy")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": -1}, cs.ParameterError, "epochs must be a whole number, 0 or more"),
        ({"distributed": "no"}, cs.ParameterError, "distributed must be True or False"),
        ({"resume": None}, cs.ParameterError, "resume must be True or False"),
        ({"batch_size": 0}, cs.ParameterError, "batch_size must be a whole number, 1 or more"),
        ({"data_seed": True}, cs.ParameterError, "data_seed must be a whole number, 0 or more"),
        ({"evaluate_every": None}, cs.ParameterError, "evaluate_every must be a whole number, 0 or more"),
        ({"batch_size": 9999}, cs.ParameterError, "there are only 420 training samples"),
        ({"schedule": "cosin"}, cs.ParameterError, "schedule must be None, one of"),
        ({"on_divergence": "ignore"}, cs.ParameterError, "on_divergence must be"),
        ({"probes": {"p": 3}}, cs.ParameterError, "probe 'p' must be a function"),
    ],
)
def test_bad_arguments_are_refused_before_anything_changes(data, options, error, message):
    circuit = make()
    before = circuit.weights("W0")
    with pytest.raises(error, match=message):
        cs.fit(circuit, data, progress=False, **options)
    assert torch.equal(circuit.weights("W0"), before) and circuit.n_steps == 0


def test_data_that_is_no_data_is_refused():
    for wrong in (3, "digits", {"x": 1}):
        with pytest.raises(cs.DataError, match="data must be a Dataset"):
            cs.fit(make(), wrong, progress=False)
    batch = (np.ones((5, 64)), np.zeros(5, int))
    with pytest.raises(cs.DataError, match="tuple of two tuples, but two are read as .x, y.: pass batches as a list"):
        cs.fit(make(), (batch, batch), progress=False)
    with pytest.raises(cs.DataError, match="iterator can be used only once"):
        cs.fit(make(), iter([(torch.zeros(3, 12), torch.zeros(3, dtype=torch.long))]), epochs=2, progress=False)
    for use in (lambda batches: cs.fit(make(), batches, progress=False), lambda batches: cs.evaluate(make(), batches)):
        with pytest.raises(cs.DataError, match="the iterable has no batches"):
            use([])
        with pytest.raises(cs.DataError, match=r"batch 0 of the iterable must be a pair \(x, target\) \(got Tensor\)"):
            use([torch.zeros(3, 12)])


def test_frames_are_matched_row_by_row_or_refused():
    x = pd.DataFrame(np.random.default_rng(0).standard_normal((6, 12)), index=list("uvwxyz"))
    y, circuit = pd.Series([0, 1, 2, 3, 0, 1], x.index), make()
    before = circuit.weights("W0")
    with pytest.raises(cs.DataError, match="train: the rows of y and x have different labels, at row 0"):
        cs.fit(circuit, (x, y[::-1]), batch_size=3, progress=False)
    with pytest.raises(cs.DataError, match="batch 0: the rows of y and x have different labels, at row 0"):
        cs.fit(circuit, [(x, y[::-1])], progress=False)
    assert torch.equal(circuit.weights("W0"), before)
    with pytest.raises(cs.DataError, match="train: the rows of y and x have different labels"):
        cs.evaluate(circuit, (x, y[::-1]))
    with pytest.raises(cs.DataError, match="batch 1: the rows of y and x have different labels"):
        cs.evaluate(circuit, [(x, y), (x, y[::-1])])
    arrays = make()
    cs.fit(circuit, (x, y), batch_size=3, progress=False)
    cs.fit(arrays, (x.to_numpy(), y.to_numpy()), batch_size=3, progress=False)
    assert torch.isfinite(arrays.weights("W0")).all() and not torch.equal(arrays.weights("W0"), before)
    assert torch.equal(circuit.weights("W0"), arrays.weights("W0"))


def test_multi_label_targets_get_an_auc_that_scikit_learn_confirms():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 12)).astype("float32")
    y = (x @ rng.standard_normal((12, 3)) + rng.standard_normal((300, 3)) > 0).astype(int)
    data = cs.Dataset.from_arrays(x[:200], y[:200], test=(x[200:], y[200:]))
    circuit = cs.compile(backprop([12, 10, 3], eta=0.1, loss="bce"), replicas=2, device="cpu")
    history = cs.fit(circuit, data, epochs=10, batch_size=20, progress=False)
    scores = circuit.predict(x[200:]).numpy()
    expected = [roc_auc_score(y[200:], scores[r], average="macro") for r in range(2)]
    np.testing.assert_allclose(history.final("auc", "test"), expected, rtol=1e-10)
    assert min(expected) > 0.75
    accuracy = [((scores[r] > 0) == y[200:]).mean() for r in range(2)]
    np.testing.assert_allclose(history.final("accuracy", "test"), accuracy, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_replica_is_judged_by_its_own_labels(dtype):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 12)), rng.random((2, 50, 3))
    y[1, :, 2] = 1.0  # which has no ROC curve
    circuit = cs.compile(backprop([12, 10, 3], loss="bce"), replicas=2, dtype=dtype, device="cpu")
    scores, labels = circuit.predict(x).numpy(), y > 0.5
    expected = [roc_auc_score(labels[0], scores[0]), roc_auc_score(labels[1, :, :2], scores[1, :, :2])]
    assert np.isfinite(expected).all() and abs(expected[0] - expected[1]) > 0.01
    for given in (y, labels.astype(float)):
        found = cs.evaluate(circuit, [(x, given)])
        np.testing.assert_allclose(found["auc"], expected, rtol=1e-10)
        np.testing.assert_allclose(found["accuracy"], ((scores > 0) == labels).mean((1, 2)), rtol=1e-10)
    assert np.isnan(cs.evaluate(circuit, [(x, np.ones((50, 3)))])["auc"]).all()
    alike = np.stack([y[0], y[0]])
    for name, value in cs.evaluate(circuit, [(x[:20], y[0, :20]), (x[20:], alike[:, 20:])]).items():
        np.testing.assert_allclose(value, cs.evaluate(circuit, [(x, alike)])[name], rtol=1e-5)


def test_a_motif_without_objective_runs_on_inputs_alone_but_cannot_be_evaluated(data):
    motif = cs.Motif("hebb")
    motif.add(cs.Population("x", 12), cs.Population("y", 3))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * (post * pre - sum_in(w * pre) * post * w)", eta=0.01))
    circuit = cs.compile(motif, device="cpu")
    cs.fit(circuit, data, epochs=1, batch_size=60, progress=False)
    assert circuit.n_steps == 7
    with pytest.raises(cs.ParameterError, match="has no objective"):
        cs.evaluate(circuit, data)


def rewarded(circuit: cs.Circuit, target: torch.Tensor) -> torch.Tensor:
    """1 for each sample that a replica gets right."""
    return (circuit.activity("up2").argmax(-1) == target).double()


def test_a_motif_with_a_reward_learns_in_fit_as_in_a_loop_of_steps():
    data = cs.load_dataset("digits")
    fitted, looped = (cs.compile(reward_modulated([64, 20, 10], eta=0.3), replicas=2, device="cpu") for _ in range(2))
    start = rewarded_share(fitted, data)
    told = {"reward": rewarded}
    cs.fit(fitted, data, epochs=20, batch_size=64, data_seed=1, progress=False, signals=told)
    for epoch in range(20):
        for x, target in cs.minibatches(data.train, 64, seed=1, epoch=epoch):
            looped.step(x, signals={"reward": lambda c, y=target: rewarded(c, y)})
    assert torch.isfinite(fitted.weights("W0")).all()
    assert torch.equal(fitted.weights("W0"), looped.weights("W0"))
    assert torch.equal(fitted.state("up2", "baseline"), looped.state("up2", "baseline"))
    assert rewarded_share(fitted, data) > start + 0.2


def rewarded_share(circuit: cs.Circuit, data: cs.Dataset) -> float:
    return float((circuit.predict(data.test.x, "up2").argmax(-1) == data.test.target).double().mean())


def test_signals_that_do_not_fit_are_told_before_anything_changes():
    data = cs.load_dataset("digits")
    circuit = cs.compile(reward_modulated([64, 20, 10]), device="cpu")
    before = circuit.weights("W0")
    for signals, message in (
        (None, r"declares the signals \['reward'\], but fit got \[\]"),
        ({"rewrad": rewarded}, "but fit got"),
        ([rewarded], r"signals must map names to functions of \(circuit, target\) \(got \["),
        ({"ﬁ": rewarded, "fi": rewarded}, "two signals are called 'fi'"),
        ({"reward": 1.0}, r"signal 'reward' must be a function of \(circuit, target\) \(got 1.0\)"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            cs.fit(circuit, data, signals=signals, progress=False)
    with pytest.raises(cs.ParameterError, match=r"declares the signals \[\], but fit got \['reward'\]"):
        cs.fit(cs.compile(paper_sal([64, 20, 10]), device="cpu"), data, signals={"reward": rewarded}, progress=False)
    assert torch.equal(circuit.weights("W0"), before)


def test_labels_are_from_0_to_1(data):
    """Otherwise the binary cross-entropy has no least value."""
    circuit = cs.compile(backprop([6, 5, 3], loss="bce"), device="cpu")
    x = np.random.default_rng(0).normal(size=(20, 6))
    labels = (x[:, :3] > 0).astype(float)
    for soft in (labels, 0.25 + 0.5 * labels):
        assert np.isfinite(cs.evaluate(circuit, (x, soft))["loss"]).all()
    for wrong in (x[:, :3], labels + 1e-3):
        for use in (lambda y: circuit.step(x, y), lambda y: cs.evaluate(circuit, (x, y)),
                    lambda y: cs.fit(circuit, (x, y), progress=False)):  # fmt: skip
            with pytest.raises(cs.DataError, match="labels must be from 0 to 1"):
                use(wrong)
    assert circuit.n_steps == 0


def test_a_probe_may_return_sparse_weights_and_its_tables_are_of_the_circuits_replicas(data):
    motif = paper_sal([12, 100, 4]).replace("W0", connectivity=cs.Random(0.04))
    history = cs.fit(
        cs.compile(motif, device="cpu"), data, batch_size=400, progress=False, probes={"w": lambda c: c.weights("W0")}
    )
    assert len(history.records["w"]) == 2 and history.records["w"][0][1].is_sparse_csr
    table = pd.DataFrame({"replica": [0, 7], "quantity": "q", "site": "s", "value": 1.0})
    with pytest.raises(cs.ParameterError, match="replicas .0, 7., but the circuit has only 0 .. 0"):
        cs.fit(make(), data, progress=False, probes={"t": lambda c: table})
