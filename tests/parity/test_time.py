"""Sequences and states per sample: closed forms, NumPy, torch.autograd, and what is refused. Any motif: test_guards."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.plan import Times, build_plans, circuitry_of, emit
from circuitsim.plan.interpret import Interpreter
from circuitsim.plan.passes import (
    Sizes,
    distribute,
    fuse_gates,
    reassociate,
    share_common_subexpressions,
    update_in_place,
    without_dead_code,
)
from tests.plan.programs import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")


def compiled(motif: cs.Motif, **options) -> cs.Circuit:
    return cs.compile(motif, **{"dtype": "float64", "device": "cpu", **options})


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def recurrent(*phases: cs.Phase, loss: str = "mse", rule: str = "eta * slope_post * I_B * pre", **state) -> cs.Motif:
    """An input drives a hidden population with synapses onto itself, which drives an output that is judged."""
    motif = cs.Motif("recurrent")
    motif.add(cs.Population("x", 3), cs.Population("h", 4, activation="0.8 * previous + 0.2 * tanh(drive)"))
    motif.add(cs.Population("y", 2), cs.Population("e", 2, "descending"), cs.Objective("y", "e", loss))
    motif.connect("x", "h", name="W", rule=cs.Rule(rule, eta=0.1), state=state)
    motif.connect("h", "h", name="R", delay=1, rule=cs.Rule(rule, eta=0.1), state=state)
    motif.connect("h", "y", name="U", rule=cs.Rule("eta * I_E * pre", eta=0.1))
    motif.connect("e", "h", name="B", compartment="dendrite")
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.add(*(phases or [cs.Phase("run", repeat="time")]))
    return motif


def weights_of(circuit: cs.Circuit) -> dict[str, np.ndarray]:
    return {p.name: circuit.weights(p.name).numpy() for p in circuit.motif.projections}


def assert_same_weights(one: cs.Circuit, other: cs.Circuit) -> None:
    for name, expected in weights_of(other).items():
        np.testing.assert_allclose(weights_of(one)[name], expected, rtol=1e-12, atol=1e-14, err_msg=name)


def unrolled(circuit: cs.Circuit, x: torch.Tensor, leaves: dict[str, torch.Tensor]) -> torch.Tensor:
    """The output of one replica at all times, ``[batch, time, output]``, for autograd."""
    h, found = torch.zeros(len(x), 4, dtype=torch.float64), []
    for t in range(x.shape[1]):
        h = 0.8 * h + 0.2 * torch.tanh(x[:, t] @ leaves["W"].T + h @ leaves["R"].T)
        found.append(h @ leaves["U"].T)
    return torch.stack(found, 1)


# -- sequences


def test_a_prediction_is_that_of_the_recurrent_net_at_the_last_or_at_every_time():
    circuit, x = compiled(recurrent(), replicas=2), normal(0, 5, 6, 3)
    every = circuit.predict(x, every_time=True)
    assert every.shape == (2, 5, 6, 2)
    for r in range(2):
        leaves = {name: torch.from_numpy(w[r]) for name, w in weights_of(circuit).items()}
        np.testing.assert_allclose(every[r], unrolled(circuit, torch.from_numpy(x), leaves), rtol=1e-12)
    np.testing.assert_array_equal(circuit.predict(x), every[:, :, -1])
    each = np.stack([x, normal(1, 5, 6, 3)])  # an input for each replica
    np.testing.assert_allclose(circuit.predict(each, every_time=True)[0], every[0], rtol=1e-12)
    assert not np.allclose(circuit.predict(each)[1], every[1, :, -1])


@pytest.mark.parametrize("apply", ["phase", "iteration", "step"])
def test_a_sequence_that_stays_the_same_is_a_phase_that_repeats(apply):
    over_time = compiled(recurrent(cs.Phase("run", repeat="time", apply=apply)), replicas=2)
    for n_times in (4, 1, 3):
        repeated = compiled(recurrent(cs.Phase("run", repeat=n_times, apply=apply)), replicas=2)
        for name, w in weights_of(over_time).items():
            repeated.set_weights(name, w)
        x, target = normal(n_times, 5, 3), normal(9, 5, 2)
        results = [
            over_time.step(np.repeat(x[:, None], n_times, 1), target),
            repeated.step(x, target),
        ]
        np.testing.assert_allclose(results[0].losses["run"], results[1].losses["run"], rtol=1e-12)
        assert_same_weights(over_time, repeated)


def test_the_loss_is_that_of_the_last_time_or_the_mean_over_the_times_of_the_target():
    circuit, x, target = compiled(recurrent()), normal(0, 5, 6, 3), normal(1, 5, 6, 2)
    each = ((circuit.predict(x, every_time=True)[0].numpy() - target) ** 2).sum(-1).mean(0) / 2
    np.testing.assert_allclose(circuit.cycle(x, target).loss, [each.mean()], rtol=1e-12)
    assert circuit.judged("y").shape == (1, 5, 6, 2)
    held = circuit.cycle(x, target[:, -1])
    np.testing.assert_allclose(held.loss, [each[-1]], rtol=1e-12)
    np.testing.assert_allclose(held.losses["run"], held.loss)
    assert circuit.judged("y").shape == (1, 5, 2)
    one = compiled(recurrent(loss="cross_entropy"))
    p = torch.log_softmax(one.predict(x, every_time=True)[0], -1).numpy()
    classes = np.random.default_rng(3).integers(2, size=(5, 6))
    expected = -np.take_along_axis(p, classes[:, :, None], 2).mean()
    np.testing.assert_allclose(one.step(x, classes).loss, [expected], rtol=1e-12)


@pytest.mark.parametrize("is_timed", [True, False])
def test_the_gradient_is_that_of_backpropagation_through_time(is_timed):
    circuit, x, target = compiled(recurrent()), normal(0, 5, 6, 3), normal(1, 5, 6, 2)
    leaves = {name: torch.from_numpy(w[0]).requires_grad_() for name, w in weights_of(circuit).items()}
    squares = (unrolled(circuit, torch.from_numpy(x), leaves) - torch.from_numpy(target)) ** 2
    (squares if is_timed else squares[:, -1]).sum(-1).mean().div(2).backward()
    found = cs.loss_gradients(circuit, x, target if is_timed else target[:, -1])
    assert sorted(found) == ["R", "U", "W"]
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient[0], leaves[name].grad, rtol=1e-10, atol=1e-14)
    table = cs.alignment(circuit, x, target, ["gradient_cosine"])
    assert table.value.between(-1, 1).all() and len(table) == 3


def test_an_input_without_time_is_held_and_phases_without_time_read_it_as_ever():
    motif = cs.Motif("two inputs")
    motif.add(cs.Population("x", 2), cs.Population("c", 2), cs.Population("h", 2, activation="previous + drive"))
    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity()}
    motif.connect("x", "h", name="X", **one_to_one)
    motif.connect("c", "h", name="C", **one_to_one)
    motif.add(cs.Phase("before", inputs=["c"], soma=["C"]), cs.Phase("run", repeat="time"))
    circuit, x, c = compiled(motif), normal(0, 3, 4, 2), normal(1, 3, 2)
    expected = c[:, None] + np.cumsum(x + c[:, None], 1)
    np.testing.assert_allclose(circuit.predict({"x": x, "c": c}, "h", every_time=True)[0], expected, rtol=1e-12)
    with pytest.raises(cs.DataError, match=r"input 'c' has shape \[3, 4, 2\], needs \[batch, 2\]"):
        circuit.predict({"x": x, "c": x}, "h")


def test_lengths_take_turns():
    circuit, fresh = compiled(recurrent()), compiled(recurrent())
    for n_times in (3, 5, 3, 1, 5):
        x, target = normal(n_times, 4, n_times, 3), normal(7, 4, n_times, 2)
        loss = circuit.step(x, target).loss
        np.testing.assert_array_equal(loss, fresh.step(x, target).loss)
        fresh = cs.Motif.from_json(circuit.motif.to_json())
        fresh = compiled(fresh)
        for name, w in weights_of(circuit).items():
            fresh.set_weights(name, w)


def test_fit_evaluate_and_files_take_sequences(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 7, 3))
    y = (np.cumsum(x[:, :, 0], 1) > 0).astype(int)  # of each time
    data = cs.Dataset.from_arrays(x, y, validation=0.2, sequences=True)
    assert data.train.x.shape == (72, 7, 3) and data.n_features == 3 and data.n_outputs == 2
    options = {"batch_size": 8, "progress": False}
    motif = recurrent(cs.Phase("run", repeat="time", apply="iteration"), loss="cross_entropy")
    circuit = compiled(motif, replicas=2, dtype="float32")
    cs.fit(circuit, data, epochs=6, checkpoint=tmp_path / "run", **options)
    resumed = compiled(motif, replicas=2, dtype="float32")
    cs.fit(resumed, data, epochs=6, checkpoint=tmp_path / "run", resume=True, **options)
    circuit.save(tmp_path / "circuit.safetensors")
    loaded = cs.load_circuit(tmp_path / "circuit.safetensors", device="cpu")
    x, y = (part.numpy() for part in (data.validation.x, data.validation.target))
    right = (circuit.predict(x, every_time=True).argmax(-1).numpy() == y).mean((1, 2))
    assert (right > 0.75).all()
    for other in (circuit, resumed, loaded):
        np.testing.assert_allclose(cs.evaluate(other, data)["accuracy"], right)
        np.testing.assert_allclose(cs.evaluate(other, (x, y))["accuracy"], right)
    last = cs.evaluate(circuit, (x, y[:, -1]))["accuracy"]
    np.testing.assert_allclose(last, (circuit.predict(x).argmax(-1).numpy() == y[:, -1]).mean(1))
    online = cs.fit(circuit, (x, y), epochs=1, batch_size=18, progress=False).curve("accuracy", "online")
    assert np.isfinite(online.values).all() and (online.values > 0.75).all()
    scaled = data.standardized(n_channels=3).train.x.numpy()
    np.testing.assert_allclose(scaled.mean((0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std((0, 1)), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "target", "message"),
    [
        ((5, 3), (5, 2), r"no input is a sequence, .*give \['x'\] the shape \[batch, time, input\]"),
        ((5, 0, 3), (5, 2), "the sequences have no time step"),
        ((5, 6, 4), (5, 2), r"input 'x' has shape \[5, 6, 4\], needs \[batch, time, 3\] or \[1, batch, time, 3\]"),
        ((2, 5, 6, 3), (5, 2), r"input 'x' has shape \[2, 5, 6, 3\]"),
        ((5, 6, 3), (5, 7, 2), r"target has shape \(5, 7, 2\), needs .* with batch = 5, time = 6"),
        ((5, 6, 3), (4, 6, 2), r"target has shape \(4, 6, 2\), needs"),
        ((5, 6, 3), (5, 6), r"target has shape \(5, 6\), needs \[batch, 2\] or \[batch, time, 2\]"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(x, target, message):
    circuit = compiled(recurrent())
    before = weights_of(circuit)
    with pytest.raises(cs.DataError, match=message):
        circuit.step(np.ones(x), np.ones(target))
    for name, w in before.items():
        np.testing.assert_array_equal(weights_of(circuit)[name], w)


@pytest.mark.parametrize("apply", ["phase", "iteration"])
def test_a_number_that_is_not_finite_is_found_at_any_time_before_anything_changes(apply):
    circuit, x = compiled(recurrent(cs.Phase("run", repeat="time", apply=apply))), normal(0, 5, 6, 3)
    before, x[2, 4, 1] = weights_of(circuit), np.nan
    with pytest.raises(cs.DataError, match=r"input 'x\[4\]'"):
        circuit.step(x, normal(1, 5, 2))
    classes, x = np.zeros((5, 6), int), normal(0, 5, 6, 3)
    classes[1, 5] = 2
    with pytest.raises(cs.DataError, match=r"target of 'y\[5\]'"):
        compiled(recurrent(cs.Phase("run", repeat="time", apply=apply), loss="cross_entropy")).step(x, classes)
    for name, w in before.items():
        np.testing.assert_array_equal(weights_of(circuit)[name], w)


def test_a_motif_without_time_refuses_sequences_and_one_without_sequences_time():
    circuit = compiled(recurrent(cs.Phase("run", repeat=3)))
    with pytest.raises(cs.DataError, match="only phases with repeat='time' read sequences"):
        circuit.step(np.ones((1, 5, 6, 3)), np.ones((5, 2)))
    with pytest.raises(cs.ParameterError, match="'y' is read in phase 'run', which does not repeat over time"):
        circuit.predict(np.ones((5, 3)), every_time=True)
    with pytest.raises(cs.ParameterError, match="every_time must be True or False .got 'no'."):
        circuit.predict(np.ones((5, 3)), every_time="no")
    with pytest.raises(cs.MotifError, match="phase 'run': repeat is 'time', but no input can be a sequence"):
        recurrent(cs.Phase("run", repeat="time"), cs.Phase("after")).validate()
    with pytest.raises(cs.CircuitError, match="phase 'run' repeats over time"):
        cs.export_brian2(compiled(recurrent()))


# -- states per sample


def test_changes_accumulate_in_a_state_per_sample():
    """The change at the end is the sum over time of what a rule would have changed at each: e is the eligibility."""
    rule, e = "eta * g", cs.State("0.7 * e + slope_post * pre", start=0.3, per_sample=True)
    g = cs.State("g + I_B * (0.7 * e + slope_post * pre)", per_sample=True)
    motif = recurrent(rule=rule, e=e, g=g)
    circuit, x, target = compiled(motif), normal(0, 5, 6, 3), normal(1, 5, 6, 2)
    w = {name: value[0] for name, value in weights_of(circuit).items()}
    circuit.step(x, target)
    h, expected = np.zeros((5, 4)), {"W": 0.0, "R": 0.0}
    traces = {"W": np.full((5, 4, 3), 0.3), "R": np.full((5, 4, 4), 0.3)}
    for t in range(6):
        drive, pre = x[:, t] @ w["W"].T + h @ w["R"].T, {"W": x[:, t], "R": h}
        slope = 0.2 * (1 - np.tanh(drive) ** 2)
        h = 0.8 * h + 0.2 * np.tanh(drive)
        back = (target[:, t] - h @ w["U"].T) @ w["B"].T
        for name in expected:
            traces[name] = 0.7 * traces[name] + slope[:, :, None] * pre[name][:, None]
            expected[name] = expected[name] + back[:, :, None] * traces[name]
    for name, total in expected.items():
        np.testing.assert_allclose(circuit.state(name, "g")[0], total, rtol=1e-10)
        np.testing.assert_allclose(circuit.state(name, "e")[0], traces[name], rtol=1e-10)
        np.testing.assert_allclose(circuit.weights(name)[0], w[name] + 0.1 * total.mean(0), rtol=1e-10)
    again = circuit.predict(x)  # the next step begins anew
    assert circuit.state("W", "e").shape == (1, 5, 4, 3) and torch.isfinite(again).all()


def test_a_neuron_adapts_in_a_state_per_sample():
    motif = cs.Motif("adapting")
    adapting = cs.State("0.9 * a + 0.1 * activity", start=0.5, per_sample=True)
    motif.add(cs.Population("x", 2), cs.Population("h", 2, activation="relu(drive - a)", state={"a": adapting}))
    motif.connect("x", "h", name="W", connectivity=cs.OneToOne(), init=cs.Identity(), rule="a_post + 0 * pre")
    motif.add(cs.Phase("run", repeat="time"))
    circuit, x = compiled(motif), normal(0, 3, 5, 2)
    a, expected = np.full((3, 2), 0.5), []
    for t in range(5):
        expected.append(np.maximum(x[:, t] - a, 0))
        a = 0.9 * a + 0.1 * expected[-1]
    np.testing.assert_allclose(circuit.predict(x, "h", every_time=True)[0], np.stack(expected, 1), rtol=1e-12)
    circuit.step(x)
    np.testing.assert_allclose(circuit.state("h", "a")[0], a, rtol=1e-12)
    np.testing.assert_allclose(circuit.weights("W")[0], np.eye(2) * (1 + a.mean(0)), rtol=1e-12)


def test_the_gradient_runs_through_states_of_neurons_per_sample():
    adapting = cs.State("0.9 * a + 0.1 * activity", start=0.1, per_sample=True)
    motif = recurrent().replace("h", activation="0.8 * previous + 0.2 * tanh(drive - a)", state={"a": adapting})
    circuit, x, target = compiled(motif), normal(0, 5, 4, 3), normal(1, 5, 4, 2)
    w = {name: torch.from_numpy(value[0]).requires_grad_() for name, value in weights_of(circuit).items()}
    h, a, losses = torch.zeros(5, 4, dtype=torch.float64), torch.full((5, 4), 0.1, dtype=torch.float64), []
    for t in range(4):
        h = 0.8 * h + 0.2 * torch.tanh(torch.from_numpy(x[:, t]) @ w["W"].T + h @ w["R"].T - a)
        a = 0.9 * a + 0.1 * h
        losses.append(((h @ w["U"].T - torch.from_numpy(target[:, t])) ** 2).sum(1).mean() / 2)
    torch.stack(losses).mean().backward()
    for name, gradient in cs.loss_gradients(circuit, x, target).items():
        np.testing.assert_allclose(gradient[0], w[name].grad, rtol=1e-10, atol=1e-14)


def test_the_tables_of_methods_tell_of_time_and_of_states_per_sample():
    motif = recurrent(rule="eta * I_B * e", e=cs.State("0.9 * e + pre", per_sample=True))
    text = motif.methods_table()
    assert "an iteration for each time step" in text and "e <- 0.9 * e + pre (per sample)" in text
    assert r"\text{(per sample)}" in motif.methods_table(format="latex")


def test_any_layout_keeps_a_state_per_sample():
    found = {}
    for connectivity in (cs.Edges(pre=[3, 40, 7], post=[2, 30, 2]), cs.All()):
        motif = cs.Motif("sparse")
        motif.add(cs.Population("x", 50), cs.Population("h", 40))
        e = cs.State("0.5 * e + pre * post * sum_in(w * pre)", start=0.1, per_sample=True)
        rule = cs.Rule(
            "0.01 * e + 0.1 * pre",
        )
        motif.connect("x", "h", name="W", connectivity=connectivity, init=cs.Constant(0.2), rule=rule, state={"e": e})
        motif.add(cs.Phase("run", repeat="time"))
        circuit = compiled(motif, replicas=2)
        if isinstance(connectivity, cs.All):
            mask = found["mask"]
            circuit.set_weights("W", mask * 0.2)
            circuit.prune("W", 0.1)
        else:
            found["mask"] = circuit.mask("W").to_dense().double().numpy()
        circuit.step(normal(0, 4, 3, 50))
        found[type(connectivity)] = circuit.state("W", "e").numpy(), circuit.weights("W").to_dense().numpy()
    for one, other in zip(found[cs.Edges], found[cs.All], strict=True):
        assert np.count_nonzero(one) > 0
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_every_pass_and_the_engine_mean_the_same_as_the_interpreter():
    e = cs.State("0.7 * e + slope_post * pre", per_sample=True)
    motif = recurrent(cs.Phase("run", repeat="time", apply="iteration"), rule="eta * I_B * e", e=e)
    circuit, x, target = compiled(motif, replicas=2), normal(0, 5, 4, 3), normal(1, 5, 4, 2)
    plans, n = build_plans(motif), 4
    program = emit(plans, circuitry_of(motif, plans), times=Times(n, frozenset("x"), frozenset("y")))
    states = {f"{name}:w": w for name, w in weights_of(circuit).items()}
    masks = {name: np.ones(w.shape, bool) for name, w in weights_of(circuit).items()}
    masks["E"] = np.eye(2, dtype=bool)[None].repeat(2, 0)

    def run(program):
        interpreter = Interpreter(dict(states), masks, {f"{name}:eta": 0.1 for name in "WRU"})
        parts = ({f"{k}[{t}]": v[None, :, t] for t in range(n)} for k, v in (("x", x), ("y", target)))
        values = interpreter.run(program, *parts)
        found = dict(interpreter.states) | {k: values[r] for k, r in program.readable.items()}
        return found | {"loss": values[program.loss]}

    expected = run(program)
    for change in (
        share_common_subexpressions, without_dead_code, fuse_gates, distribute, update_in_place,
        lambda p: update_in_place(reassociate(share_common_subexpressions(p), Sizes(batch=4096), {"*"})),
    ):  # fmt: skip
        assert_same(run(change(program)), expected, 1e-11)
    loss = circuit.step(x, target, keep="all").loss
    np.testing.assert_allclose(loss, expected["loss"].ravel(), rtol=1e-11)
    for name, w in weights_of(circuit).items():
        np.testing.assert_allclose(w, expected[f"{name}:w"], rtol=1e-11, atol=1e-14)
        assert np.abs(w - states[f"{name}:w"]).max() > 1e-6 or name in "BE"


def test_the_memory_of_a_state_per_sample_is_told():
    motif = recurrent(rule="eta * I_B * e", e=cs.State("e + pre", per_sample=True))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cs.compile(motif, replicas=3, device="cpu")
    texts = [str(w.message) for w in told]
    assert any(
        "projection 'W': its states per sample ('e') take 144 bytes for each sample" in t for t in texts
    )  # 3*4*12
    assert len(texts) == 2
    with pytest.raises(cs.ParameterError, match="GiB|TiB"):
        n = 10**6
        huge = cs.Motif("huge")
        huge.add(cs.Population("x", n), cs.Population("y", n))
        huge.connect("x", "y", name="W", state={"e": cs.State("e + pre", per_sample=True)})
        cs.compile(huge, device="cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.add(cs.Population("z", 2, state={"s": cs.State("s", per_sample="yes")})), "must be True or False"),
        (
            lambda m: m.add(cs.Signal("r"), cs.Population("z", 2, state={"s": cs.State("s + r", per_sample=True)})),
            "population 'z': state 's': a state per sample is part of the cycle, and cannot read the signal 'r'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(change, message):
    motif = recurrent()
    change(motif)
    with pytest.raises(cs.MotifError, match=message):
        motif.validate()


def test_a_state_per_sample_has_no_values_before_a_step_and_no_counterpart_in_brian2():
    motif = cs.Motif("plain")
    motif.add(cs.Population("x", 2), cs.Population("y", 2))
    motif.connect("x", "y", name="W", rule="e", state={"e": cs.State("pre", per_sample=True)})
    circuit = compiled(motif)
    with pytest.raises(cs.ParameterError, match="no values of 'W:e', a state per sample, yet"):
        circuit.state("W", "e")
    assert cs.Motif.from_json(motif.to_json()) == motif
    with pytest.raises(cs.CircuitError, match="projection 'W': its state 'e' is per sample"):
        cs.export_brian2(circuit)
