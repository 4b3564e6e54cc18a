"""Faults that were found by use, each with the number that is right; one sentence, one test."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of rules that are slow, and of mean states


def compiled(motif: cs.Motif, **options) -> cs.Circuit:
    return cs.compile(motif, **{"dtype": "float64", "device": "cpu", **options})


def weights(circuit: cs.Circuit, name: str = "W") -> np.ndarray:
    return circuit.weights(name).to_dense().numpy()


def one_layer(rule: str, n_in: int = 3, n_out: int = 2, start=0.0, state=None, neurons=None, **parameters) -> cs.Motif:
    """Inputs x, linear outputs y, one projection W between them."""
    motif = cs.Motif("one layer")
    motif.add(cs.Population("x", n_in, state=neurons), cs.Population("y", n_out))
    init = cs.Given(np.broadcast_to(np.asarray(start, dtype=float), (n_out, n_in)))
    motif.connect("x", "y", name="W", init=init, rule=cs.Rule(rule, **parameters), state=state or {})
    return motif


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# -- what is given


def two_inputs() -> cs.Motif:
    motif = cs.Motif("two inputs")
    motif.add(cs.Population("a", 3), cs.Population("b", 3), cs.Population("y", 2))
    for name in ("a", "b"):
        motif.connect(name, "y", name=f"W{name}", init=cs.Constant(0.0), rule=cs.Rule("pre"))
    return motif


def test_a_dict_of_inputs_may_come_in_any_order():
    circuit, a, b = compiled(two_inputs()), normal(0, 4, 3), normal(1, 4, 3)
    for k in range(6):
        circuit.step({"a": a, "b": b} if k in (0, 1, 2, 4) else {"b": b, "a": a})
    np.testing.assert_allclose(weights(circuit, "Wa")[0, 0], 6 * a.mean(0), rtol=1e-12)
    np.testing.assert_allclose(weights(circuit, "Wb")[0, 0], 6 * b.mean(0), rtol=1e-12)


def test_fit_takes_batches_whose_dicts_differ_in_order():
    circuit, a, b = compiled(two_inputs()), torch.tensor(normal(0, 4, 3)), torch.tensor(normal(1, 4, 3))
    orders = [{"a": a, "b": b} if k % 3 else {"b": b, "a": a} for k in range(6)]
    cs.fit(circuit, [(x, None) for x in orders], epochs=2, progress=False)
    np.testing.assert_allclose(weights(circuit, "Wa")[0, 0], 12 * a.mean(0), rtol=1e-12)
    np.testing.assert_allclose(weights(circuit, "Wb")[0, 0], 12 * b.mean(0), rtol=1e-12)


@pytest.mark.parametrize("replicas", [1, 2])
def test_one_tensor_may_be_given_twice_and_then_two(replicas):
    circuit = compiled(two_inputs(), replicas=replicas)
    a, b, both = (torch.tensor(normal(k, replicas, 4, 3)) for k in range(3))
    for x in ({"a": both, "b": both},) * 3 + ({"a": a, "b": b},) * 3:
        circuit.step(x)
    for name, own in (("a", a), ("b", b)):
        expected = 3 * (both + own).mean(1)
        np.testing.assert_allclose(weights(circuit, f"W{name}"), np.stack([expected] * 2, axis=1), rtol=1e-12)


def test_an_input_may_be_its_own_target_and_later_have_another():
    motif = cs.Motif("auto")
    motif.add(cs.Population("x", 3), cs.Population("y", 3), cs.Population("e", 3, "descending"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.0), plastic=False)
    motif.connect("e", "y", name="E", compartment="dendrite", init=cs.Constant(0.0), rule=cs.Rule("pre"))
    motif.add(cs.Objective("y", "e", "mse"))
    circuit = compiled(motif, replicas=2)
    x, target = torch.tensor(normal(0, 2, 4, 3)), torch.tensor(normal(1, 2, 4, 3))
    losses = [circuit.step(x, t).loss.numpy() for t in (x, x, x, target, target)]
    for k, t in enumerate((x, x, x, target, target)):
        np.testing.assert_allclose(losses[k], (t**2).sum(-1).mean(1) / 2, rtol=1e-12)  # y is 0
    expected = (3 * x + 2 * target).mean(1)
    np.testing.assert_allclose(weights(circuit, "E"), np.stack([expected] * 3, axis=1), rtol=1e-12)


def test_a_long_double_is_a_number():
    circuit, x = compiled(one_layer("pre")), normal(0, 4, 3)
    circuit.step(x.astype(np.longdouble))
    np.testing.assert_allclose(weights(circuit)[0, 0], x.mean(0), rtol=1e-12)


def test_float64_arrays_reach_a_float64_circuit_in_fit_and_evaluate():
    motif = cs.Motif("large")
    motif.add(cs.Population("x", 1), cs.Population("y", 1), cs.Population("e", 1, "descending"))
    motif.add(cs.Objective("y", "e", "mse"))
    motif.connect("x", "y", name="W", init=cs.Constant(1.0), plastic=False)
    circuit = compiled(motif)
    x = 1e8 + np.arange(8.0)[:, None]
    y = x + normal(0, 8, 1)
    expected = ((x - y) ** 2).mean() / 2
    np.testing.assert_allclose(cs.evaluate(circuit, (x, y))["loss"], [expected], rtol=1e-6)
    history = cs.fit(circuit, (x, y), epochs=1, batch_size=8, progress=False)
    np.testing.assert_allclose(history.final("loss", "online"), [expected], rtol=1e-6)


def test_a_float64_circuit_takes_numbers_that_float32_does_not_hold():
    circuit = compiled(one_layer("pre * 1e-39"))
    x = np.full((4, 3), 1e39)
    cs.fit(circuit, [(x, None)], epochs=1, progress=False)
    np.testing.assert_allclose(weights(circuit), 1.0, rtol=1e-12)
    motif = cs.Motif("large")
    motif.add(cs.Population("x", 1), cs.Population("y", 1), cs.Population("e", 1, "descending"))
    motif.add(cs.Objective("y", "e", "mse"))
    motif.connect("x", "y", name="W", init=cs.Constant(1.0), plastic=False)
    data = (np.full((4, 1), 1e39), np.zeros((4, 1)))
    np.testing.assert_allclose(cs.evaluate(compiled(motif), data)["loss"], [5e77], rtol=1e-12)


def test_batches_of_eight_sizes_in_turn_give_the_right_numbers():
    circuit, expected = compiled(one_layer("eta * (pre * post + 1 - w)", eta=0.1)), np.zeros((2, 3))
    for k in range(32):
        x = normal(k, 1 + k % 8, 3)
        circuit.step(x)
        expected = expected + 0.1 * ((x @ expected.T).T @ x / len(x) + 1 - expected)
        np.testing.assert_allclose(weights(circuit)[0], expected, rtol=1e-10)


# -- states, schedules, names


def test_a_state_whose_update_is_a_number_changes_at_the_end_of_the_step():
    state = {"first": cs.State("0", start=1.0), "b": cs.State("first")}
    motif = cs.Motif("constant")
    motif.add(cs.Population("x", 1), cs.Population("y", 1, state=state))
    motif.connect("x", "y", name="W", init=cs.Constant(0.0), rule=cs.Rule("first_post * pre"))
    circuit = compiled(motif)
    circuit.step(np.ones((1, 1)))
    assert weights(circuit).item() == 1.0
    assert circuit.state("y", "b").item() == 1.0 and circuit.state("y", "first").item() == 0.0


def test_a_state_of_a_synapse_whose_update_is_a_number_changes_at_the_end_of_the_step():
    state = {"first": cs.State("1.5", start=1.0), "b": cs.State("first")}
    circuit = compiled(one_layer("first * pre", n_in=1, n_out=1, state=state))
    for _ in range(3):
        circuit.step(np.ones((1, 1)))
    assert weights(circuit).item() == 4.0  # 1 + 1.5 + 1.5
    assert circuit.state("W", "b").item() == 1.5


@pytest.mark.parametrize(
    "rule",
    [
        "eta * minimum(pre, post) * (eta > 0.05)",
        "minimum(pre, post) * (0.05 < eta) * eta",
        "eta * pre * post * (eta > 0.05)",
        "where(eta > 0.05, eta * pre * post, 0 * pre)",
    ],
)
def test_what_a_schedule_changes_may_stand_in_a_comparison(rule):
    circuit, w = compiled(one_layer(rule, 1, 1, start=0.5, eta=0.1)), 0.5
    for scale in (1.0, 1.0, 1.0, 0.1, 0.1, 1.0, 0.3, 1.0):
        circuit.eta_scale = scale
        circuit.step(np.ones((2, 1)))
        rate = 0.1 * scale
        w += rate * w * (rate > 0.05)  # pre is 1, post is w, which stays below it
        w = min(w, 1.0) if "minimum" in rule else w
        np.testing.assert_allclose(weights(circuit).item(), w, rtol=1e-12)


def test_a_population_and_a_projection_of_one_name_keep_their_own_states_and_parameters():
    motif = cs.Motif("names")
    motif.add(cs.Population("x", 2), cs.Population("y", 2, state={"eta": cs.State("eta + 1", start=5.0)}))
    motif.connect("x", "y", name="y", init=cs.Constant(0.0), rule=cs.Rule("eta * pre * eta_post", eta=0.1))
    circuit = compiled(motif)
    for _ in range(3):
        circuit.step(np.ones((1, 2)))
    np.testing.assert_allclose(weights(circuit, "y"), 0.1 * (5 + 6 + 7), rtol=1e-12)
    np.testing.assert_allclose(circuit.state("y", "eta"), 8.0, rtol=1e-12)


def test_two_owners_of_one_name_may_both_have_a_state_s():
    motif = cs.Motif("names")
    motif.add(cs.Population("x", 2), cs.Population("y", 2, state={"s": cs.State("s + 1", start=1.0)}))
    motif.connect(
        "x", "y", name="y", init=cs.Constant(0.0), rule=cs.Rule("pre * s + 100 * s_post"),
        state={"s": cs.State("2 * s", start=1.0)},
    )  # fmt: skip
    circuit = compiled(motif)
    for _ in range(3):
        circuit.step(np.ones((1, 2)))
    np.testing.assert_allclose(weights(circuit, "y"), (1 + 2 + 4) + 100 * (1 + 2 + 3), rtol=1e-12)


def test_a_state_of_a_synapse_called_eta_is_not_what_a_schedule_scales():
    circuit = compiled(one_layer("pre * eta", state={"eta": cs.State("eta + 1", start=1.0)}))
    circuit.eta_scale = 0.5
    for _ in range(3):
        circuit.step(np.ones((1, 3)))
    np.testing.assert_allclose(weights(circuit), 1 + 2 + 3, rtol=1e-12)


@pytest.mark.parametrize("name", ["activity", "drive", "slope"])
def test_a_neuron_state_or_a_signal_with_the_name_of_a_quantity_is_refused(name):
    with pytest.raises(cs.MotifError, match=f"{name}.*rename it"):
        one_layer("pre", neurons={name: "0.5"}).validate()
    motif = one_layer("pre")
    motif.add(cs.Signal(name))
    with pytest.raises(cs.MotifError, match=f"{name}.*rename it"):
        motif.validate()


@pytest.mark.parametrize("name", ["activity", "drive", "slope"])
def test_a_synapse_may_have_a_state_or_a_parameter_of_that_name(name):
    circuit = compiled(one_layer(f"pre * {name}", state={name: cs.State(f"{name} + 1", start=1.0)}))
    other = compiled(one_layer(f"pre * {name}", **{name: 0.5}))
    for _ in range(3):
        circuit.step(np.ones((1, 3)))
        other.step(np.ones((1, 3)))
    np.testing.assert_allclose(weights(circuit), 6.0, rtol=1e-12)
    np.testing.assert_allclose(weights(other), 1.5, rtol=1e-12)


def test_compile_says_that_a_signal_meets_the_batch_mean_of_a_state():
    motif = one_layer("eta * r * e", eta=1.0, state={"e": "pre * post"}, start=1.0)
    motif.add(cs.Signal("r"))
    with pytest.warns(UserWarning, match=r"'W'.*mean"):
        cs.compile(motif, device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cs.compile(one_layer("eta * e", eta=1.0, state={"e": "pre * post"}), device="cpu")


# -- gates, branches, decay


def test_a_branch_that_is_not_taken_may_overflow():
    rule = "where(pre > 100, w * post, w * pre**15 * post) * 1e-9"
    circuit = compiled(one_layer(rule, 1, 1, start=1.0), dtype="float32")
    circuit.step(np.full((2, 1), 1000.0))
    np.testing.assert_allclose(weights(circuit).item(), 1 + 1e-6, rtol=1e-6)


GATES = {
    "eta * (pre > 0) * post / pre": lambda x, y: np.where(x > 0, y / np.where(x == 0, 1, x), 0.0),
    "eta * (pre >= 0.5) * post / pre": lambda x, y: np.where(x >= 0.5, y / np.where(x == 0, 1, x), 0.0),
    "eta * (pre != 0) * post / pre": lambda x, y: np.where(x != 0, y / np.where(x == 0, 1, x), 0.0),
    "eta * (pre > theta) * post / pre": lambda x, y: np.where(x > 0.25, y / np.where(x == 0, 1, x), 0.0),
    "eta * (pre != 0) ** 2 / pre": lambda x, y: np.where(x != 0, 1 / np.where(x == 0, 1, x), 0.0) + 0 * y,
    "eta * where(pre != 0, post / pre, 2)": lambda x, y: np.where(x != 0, y / np.where(x == 0, 1, x), 2.0),
}
GATED_X = np.array([[0.0, -1.0, 2.0], [0.5, 0.0, 1.0], [1.5, 3.0, 0.0]])


def gated(rule: str) -> tuple[cs.Motif, np.ndarray]:
    """A motif, and its weights after one step from 0.5."""
    motif = one_layer(rule, start=0.5, eta=0.1, **({"theta": 0.25} if "theta" in rule else {}))
    post = np.repeat(0.5 * GATED_X.sum(1, keepdims=True), 2, axis=1)
    changes = GATES[rule](GATED_X[:, None, :], post[:, :, None])
    return motif, 0.5 + 0.1 * changes.mean(0)


@pytest.mark.parametrize("rule", GATES)
def test_a_product_with_a_closed_gate_is_zero_whatever_else_is_in_it(rule):
    motif, expected = gated(rule)
    circuit = compiled(motif)
    circuit.step(GATED_X)
    np.testing.assert_allclose(weights(circuit)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("rule", ["eta * (pre > 0) * post / pre", "eta * (pre != 0) * post / pre"])
def test_a_closed_gate_is_the_same_in_brian2(rule):
    pytest.importorskip("brian2")
    motif, expected = gated(rule)
    net = cs.export_brian2(compiled(motif))
    net.step(GATED_X)
    np.testing.assert_allclose(net.weights("W"), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(pre > 0) + 1 / pre", np.inf),  # gates hold in products only
        ("post * 1e300 / pre", np.nan),  # 0 / 0
        ("relu(-pre) / pre", np.nan),  # a function is no gate
    ],
)
def test_all_else_is_as_in_ieee_arithmetic(text, expected):
    circuit = compiled(one_layer(text, 1, 1))
    circuit.step(np.zeros((1, 1)))
    np.testing.assert_equal(weights(circuit).item(), expected)


@pytest.mark.parametrize("decay", [1e-6, 5e-8, 2e-8])
@pytest.mark.parametrize("rule", ["eta * (post * pre - gamma * w)", "eta * post * pre - rate * w", "-rate * w"])
def test_decay_acts_as_declared_in_float32(rule, decay):
    motif = one_layer(rule, 1, 1, start=1.0, **({"eta": 0.1, "gamma": decay / 0.1} if "gamma" in rule else {}))
    if "rate" in rule:
        motif = one_layer(rule, 1, 1, start=1.0, rate=decay, **({"eta": 0.1} if "eta" in rule else {}))
    circuit = compiled(motif, dtype="float32")
    x, n_steps = torch.zeros(1, 1), max(4_000, round(4e-4 / decay))
    for _ in range(n_steps):
        circuit.step(x, check=False)
    lost = 1 - weights(circuit).astype(float).item()
    np.testing.assert_allclose(lost, 1 - (1 - decay) ** n_steps, rtol=5e-3, atol=5e-6)


# -- phases


def test_the_last_change_is_that_of_all_phases_of_the_last_step():
    motif = one_layer("eta * pre * post", start=0.5, eta=0.1)
    motif.add(cs.Phase("one"), cs.Phase("two"))
    circuit = compiled(motif, record_changes=True)
    for k in range(3):
        before = weights(circuit)
        circuit.step(normal(k, 4, 3))
        np.testing.assert_allclose(circuit.last_change("W").numpy(), weights(circuit) - before, rtol=1e-9)
    circuit.freeze("W")
    circuit.step(normal(3, 4, 3))
    with pytest.raises(cs.ParameterError, match="'W'"):
        circuit.last_change("W")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"bounds": (-0.2, 0.3)}, {"connectivity": cs.Random(0.5)}])
def test_what_is_recorded_does_not_change_what_is_learned(dtype, options):
    motif = cs.Motif("recorded")
    motif.add(cs.Population("x", 3), cs.Population("y", 2))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * (pre * post - gamma * w)", eta=1e-3, gamma=1e-4), **options)
    motif.add(cs.Phase("one"), cs.Phase("two"))
    plain, recorded = (compiled(motif, dtype=dtype, record_changes=record) for record in (False, True))
    before = weights(recorded)
    for k in range(200):  # long enough for decay that is owed to be applied
        for circuit in (plain, recorded):
            circuit.step(normal(k, 4, 3))
        np.testing.assert_array_equal(weights(recorded), weights(plain))
        np.testing.assert_allclose(recorded.last_change("W").numpy(), weights(recorded) - before, rtol=1e-6, atol=1e-7)
        before = weights(recorded)


def test_the_last_change_of_a_pinned_replica_is_zero():
    circuit = compiled(one_layer("eta * pre * post", start=0.5, eta=0.1), replicas=3, record_changes=True)
    circuit.pin_replica(1)
    before = weights(circuit)
    circuit.step(normal(0, 4, 3))
    change = circuit.last_change("W").numpy()
    np.testing.assert_allclose(change, weights(circuit) - before, rtol=1e-9)
    assert change[0].any() and not change[1].any() and not circuit.table("W", 1).last_change.any()


def late_objective(loss: str = "cross_entropy") -> cs.Motif:
    """Two phases: the first drives only the hidden layer and changes it, the second the output, which is judged."""
    motif = cs.Motif("late")
    motif.add(cs.Population("x", 4), cs.Population("h", 5, activation="tanh"), cs.Population("y", 3))
    motif.add(cs.Population("e", 3, "descending"))
    motif.add(cs.Objective("y", "e", loss))
    motif.connect("x", "h", name="W", rule=cs.Rule("eta * post * pre", eta=0.01))
    motif.connect("h", "y", name="U", rule=cs.Rule("eta * I_E * pre", eta=0.1))
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.add(cs.Phase("first", soma=["W"], plastic=["W"], errors=False), cs.Phase("second", plastic=["U"]))
    return motif


def test_an_output_is_predicted_where_it_is_judged():
    circuit, x = compiled(late_objective(), replicas=2), normal(0, 6, 4)
    expected = np.einsum("roh,rbh->rbo", weights(circuit, "U"), np.tanh(np.einsum("rhi,bi->rbh", weights(circuit), x)))
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(circuit.predict(x), expected, rtol=1e-12)
    np.testing.assert_allclose(circuit.predict(x, "y"), expected, rtol=1e-12)


def test_an_objective_in_a_later_phase_is_evaluated_and_recorded():
    circuit, x, y = compiled(late_objective()), normal(0, 40, 4), np.random.default_rng(1).integers(0, 3, 40)
    data = cs.Dataset.from_arrays(x, y, validation=(x, y), dtype=torch.float64)
    history = cs.fit(circuit, data, epochs=2, batch_size=20, progress=False)
    found = cs.evaluate(circuit, data, "validation")
    scores = np.tanh(x @ weights(circuit)[0].T) @ weights(circuit, "U")[0].T
    assert found["accuracy"] == (scores.argmax(1) == y).mean()
    losses = np.log(np.exp(scores).sum(1)) - scores[np.arange(40), y]
    np.testing.assert_allclose(found["loss"], losses.mean(), rtol=1e-10)
    np.testing.assert_array_equal(history.final("accuracy", "validation"), found["accuracy"])
    assert np.isfinite(history.final("accuracy", "online")).all()


def test_the_loss_is_that_of_the_phase_in_which_the_output_is_driven():
    motif = late_objective("mse")
    phased = cs.Motif("late")
    phased.add(*(v for v in motif.values if not isinstance(v, cs.Phase)))
    phased.add(cs.Phase("first", soma=["W"], plastic=[]), cs.Phase("second", plastic=[]))
    circuit, x, target = compiled(phased, replicas=3), normal(0, 6, 4), normal(1, 6, 3)
    result = circuit.step(x, target)
    output = np.einsum("roh,rbh->rbo", weights(circuit, "U"), np.tanh(np.einsum("rhi,bi->rbh", weights(circuit), x)))
    assert list(result.losses) == ["first", "second"]
    np.testing.assert_allclose(result.losses["first"], [(target**2).sum(1).mean() / 2] * 3, rtol=1e-12)
    np.testing.assert_allclose(result.loss, ((output - target) ** 2).sum(-1).mean(1) / 2, rtol=1e-12)
    np.testing.assert_allclose(result.losses["second"], result.loss, rtol=1e-15)


def loop() -> cs.Motif:
    """The error drives the hidden layer in the second phase: both phases together close a cycle."""
    motif = cs.Motif("loop")
    motif.add(cs.Population("x", 4), cs.Population("h", 5, activation="tanh"), cs.Population("y", 3))
    motif.add(cs.Population("e", 3, "descending"))
    motif.add(cs.Objective("y", "e", "mse"))
    motif.connect("x", "h", name="W", rule=cs.Rule("eta * post * pre", eta=0.01))
    motif.connect("h", "y", name="U", rule=cs.Rule("eta * post * pre", eta=0.01))
    motif.connect("e", "h", name="F")
    motif.add(cs.Phase("up", soma=["W", "U"], plastic=[]), cs.Phase("down", soma=["F"], plastic=["U"]))
    return motif


def test_a_loop_through_the_error_is_predicted_evaluated_and_fitted():
    circuit, x, target = compiled(loop()), normal(0, 6, 4), normal(1, 6, 3)
    output = np.tanh(x @ weights(circuit)[0].T) @ weights(circuit, "U")[0].T
    np.testing.assert_allclose(circuit.predict(x)[0], output, rtol=1e-12)
    expected = ((output - target) ** 2).sum(1).mean() / 2
    np.testing.assert_allclose(cs.evaluate(circuit, (x, target))["loss"], expected, rtol=1e-10)
    history = cs.fit(circuit, (x, target), epochs=1, batch_size=6, progress=False)
    np.testing.assert_allclose(history.final("loss", "online"), [expected], rtol=1e-10)


def test_what_depends_on_an_error_cannot_be_predicted_and_the_message_says_what_to_do():
    motif = paper_sal([4, 3, 2])
    circuit = compiled(motif)
    with pytest.raises(cs.ParameterError, match=r"'down1'.*circuit\.cycle\(x, target\).*circuit\.activity\('down1'\)"):
        circuit.predict(normal(0, 6, 4), "down1")


def test_a_motif_whose_phases_together_close_a_cycle_is_drawn(tmp_path):
    motif = loop()
    motif.validate()
    motif.draw(tmp_path / "loop.svg")
    assert (tmp_path / "loop.svg").stat().st_size > 1000


def dark(loss: str) -> cs.Motif:
    motif = cs.Motif("dark")
    motif.add(cs.Population("x", 3), cs.Population("y", 2), cs.Population("e", 2, "descending"))
    motif.add(cs.Objective("y", "e", loss))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), plastic=False)
    motif.add(cs.Phase("dark", soma=[]), cs.Phase("light"))
    return motif


def test_a_phase_that_nothing_drives_has_a_loss_for_each_replica():
    losses = compiled(dark("mse"), replicas=3).step(np.ones((4, 3)), np.ones((4, 2))).losses
    np.testing.assert_allclose(losses["dark"], [1.0] * 3, rtol=1e-15)
    np.testing.assert_allclose(losses["light"], [0.25] * 3, rtol=1e-15)


def test_each_replica_may_have_classes_of_its_own_where_nothing_drives_the_output():
    target = np.random.default_rng(0).integers(0, 2, (3, 4))
    losses = compiled(dark("cross_entropy"), replicas=3).step(np.ones((4, 3)), target).losses
    for phase in ("dark", "light"):
        np.testing.assert_allclose(losses[phase], [np.log(2)] * 3, rtol=1e-12)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "2 * drive"])
def test_the_slope_of_what_nothing_has_driven_yet_is_zero(activation):
    motif = cs.Motif("dark")
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation=activation, trace="1 + activity"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), plastic=False)
    rule = cs.Rule("slope_post + 10 * drive_post + 100 * post")
    motif.connect("x", "y", name="V", compartment="dendrite", init=cs.Constant(0.0), rule=rule)
    motif.add(cs.Phase("dark", soma=[], plastic=["V"]), cs.Phase("light", plastic=[]))
    circuit = compiled(motif)
    circuit.step(np.ones((2, 3)))
    assert (weights(circuit, "V") == 0).all()


def test_a_kept_slope_is_the_number_that_was_computed_with_the_state_of_that_moment():
    motif = cs.Motif("kept")
    state = {"th": cs.State("th + 1", start=2.0)}
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="drive * th", state=state))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), plastic=False)
    motif.connect("x", "y", name="V", compartment="dendrite", init=cs.Constant(0.0), rule=cs.Rule("slope_post**3"))
    motif.add(cs.Phase("first", plastic=["y"]), cs.Phase("second", soma=[], plastic=["V", "y"]))
    circuit = compiled(motif)
    for k in range(3):
        before = weights(circuit, "V")
        circuit.step(np.ones((2, 3)))
        np.testing.assert_allclose(weights(circuit, "V") - before, (2.0 + k) ** 3, rtol=1e-12)
    np.testing.assert_allclose(circuit.state("y", "th"), 5.0)  # once a step: in the second phase y is kept


@pytest.mark.parametrize("activation", ["minimum(drive, 0.3)", "clip(drive, -1, 1)", "drive", "relu"])
def test_before_anything_drives_a_population_its_slope_is_zero(activation):
    motif = cs.Motif("late")
    motif.add(cs.Phase("early", soma=["W"], plastic=["U"]), cs.Phase("late", soma=["W", "U"]))
    motif.add(cs.Population("x", 3), cs.Population("y", 3), cs.Population("z", 2, activation=activation))
    motif.connect("x", "y", name="W", init=cs.Constant(0.01))
    motif.connect("y", "z", name="U", init=cs.Constant(0.0), rule=cs.Rule("slope_post"))
    circuit = compiled(motif)
    circuit.step(np.ones((1, 3)))
    expected = 0.0 if activation == "relu" else 1.0  # the late phase alone; relu has a slope of 0 at a drive of 0
    np.testing.assert_array_equal(weights(circuit, "U"), np.full((1, 2, 3), expected))


def test_noise_on_an_activity_leaves_its_slope_alone():
    motif = cs.Motif("noisy")
    motif.add(cs.Phase("one", noise={"y": 0.7}))
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="tanh"))
    motif.connect("x", "y", name="W", init=cs.Constant(0.2), rule=cs.Rule("slope_post"))
    circuit, x = compiled(motif), normal(3, 5, 3)
    circuit.step(x)
    slope = (1 - np.tanh(0.2 * x.sum(1)) ** 2).mean()
    np.testing.assert_allclose(weights(circuit), np.full((1, 2, 3), 0.2 + slope), rtol=1e-12)


# -- crashes


def listed(seed: int, n_post: int, n_pre: int, n: int) -> cs.Edges:
    """Few synapses of many possible ones, which are stored as a list."""
    pairs = np.random.default_rng(seed).choice(n_post * n_pre, size=n, replace=False)
    return cs.Edges(pre=pairs % n_pre, post=pairs // n_pre)


LISTED = {
    "eta * (post * pre - post**2 * w)": lambda x, y, w: y.T @ x / len(x) - (y**2).mean(0)[:, None] * w,
    "eta * tanh(post) * pre * w": lambda x, y, w: np.tanh(y).T @ x / len(x) * w,
    "eta * (post * pre - w)": lambda x, y, w: y.T @ x / len(x) - w,
    "eta * sum_in(w * pre) * post": lambda x, y, w: ((x @ w.T) * y).mean(0)[:, None],
}


@pytest.mark.parametrize("rule", LISTED)
@pytest.mark.parametrize("counts", [(40, 57), (57, 40), (1, 30), (30, 1), (0, 30)])
@pytest.mark.parametrize("ends", ["yz", "yy"])
def test_listed_projections_of_one_shape_have_as_many_synapses_as_they_like(rule, counts, ends):
    motif = cs.Motif("listed")
    motif.add(cs.Population("x", 40), *(cs.Population(name, 35) for name in sorted(set(ends))))
    for k, (post, n) in enumerate(zip(ends, counts, strict=True)):
        connectivity = listed(k, 35, 40, n)
        motif.connect("x", post, name=f"W{k}", connectivity=connectivity, rule=cs.Rule(rule, eta=0.1))
    circuit = compiled(motif)
    expected = [weights(circuit, f"W{k}")[0] for k in range(2)]
    masks = [circuit.mask(f"W{k}").to_dense()[0].numpy() for k in range(2)]
    for step in range(4):
        x = normal(step, 5, 40)
        circuit.step(x)
        drives = {name: sum(x @ w.T for w, end in zip(expected, ends, strict=True) if end == name) for name in ends}
        for k, w in enumerate(expected):
            expected[k] = w + 0.1 * LISTED[rule](x, drives[ends[k]], w) * masks[k]
            np.testing.assert_allclose(weights(circuit, f"W{k}")[0], expected[k], rtol=1e-10, atol=1e-13)


def test_two_levels_of_listed_feedback_between_layers_of_equal_width_run():
    hebb = cs.Rule("eta * (post * pre - gamma * w)", eta=0.1, gamma=0.1)
    motif = cs.Motif("levels")
    motif.add(cs.Population("x", 36), cs.Population("up1", 36), cs.Population("up2", 36))
    motif.add(cs.Bias("tonic", stream="descending"))
    motif.connect("x", "up1", name="W0", plastic=False)
    motif.connect("up1", "up2", name="W1", plastic=False)
    for k in (1, 2):
        motif.add(cs.Population(f"down{k}", 36, "descending"))
        motif.connect("tonic", f"down{k}", name=f"T{k}", init=cs.Uniform(-1, 1), plastic=False)
        for name, pre, post in ((f"V{k}", f"down{k}", f"up{k}"), (f"Vt{k}", f"up{k}", f"down{k}")):
            listed_or_reciprocal = cs.ReciprocalOf(f"V{k}") if name.startswith("Vt") else cs.Random(0.03)
            motif.connect(pre, post, name=name, compartment="dendrite", rule=hebb, connectivity=listed_or_reciprocal)
    circuit = compiled(motif, replicas=2)
    names = [f"{kind}{k}" for kind in ("V", "Vt") for k in (1, 2)]
    expected = {name: weights(circuit, name) for name in names}
    masks = {name: circuit.mask(name).to_dense().numpy() for name in names}
    assert masks["V1"].sum() != masks["V2"].sum()
    for step in range(4):
        circuit.step(normal(step, 5, 36))
        for name in names:
            up, down = (circuit.activity(f"{kind}{name[-1]}").numpy() for kind in ("up", "down"))
            post, pre = (down, up) if name.startswith("Vt") else (up, down)
            change = 0.1 * (np.einsum("rbi,rbj->rij", post, pre) / 5 - 0.1 * expected[name])
            expected[name] = expected[name] + change * masks[name]
            np.testing.assert_allclose(weights(circuit, name), expected[name], rtol=1e-10, atol=1e-13)


LAYOUTS = {"dense": (3, 2, cs.All()), "one to one": (3, 3, cs.OneToOne()), "listed": (40, 35, listed(0, 35, 40, 50))}
SIGNALS = {
    "eta * rew * pre": lambda r, x, w: (r[:, None] * x).mean(0)[None],
    "eta * rew": lambda r, x, w: r.mean(),
    "eta * rew * w": lambda r, x, w: r.mean() * w,
    "eta * rew * post": lambda r, x, w: (r[:, None] * (x @ w.T)).mean(0)[:, None],
    "eta * minimum(rew, pre)": lambda r, x, w: np.minimum(r[:, None], x).mean(0)[None],
}


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rule", SIGNALS)
def test_a_signal_needs_no_postsynaptic_factor(rule, layout, each):
    n_in, n_out, connectivity = LAYOUTS[layout]
    motif = one_layer(rule, n_in, n_out, eta=0.1).replace("W", connectivity=connectivity, init=cs.Uniform(-1, 1))
    motif.add(cs.Signal("rew"))
    circuit = compiled(motif, replicas=2)
    mask, w = circuit.mask("W").to_dense().numpy(), weights(circuit)
    for k in range(4):
        x, r = normal(k, 5, n_in), normal(10 + k, 2, 5)
        circuit.step(x, signals={"rew": r if each else r[0]})
        w = np.stack([w[i] + 0.1 * SIGNALS[rule](r[i if each else 0], x, w[i]) for i in range(2)]) * mask
        np.testing.assert_allclose(weights(circuit), w, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("of_circuit", [False, True])
@pytest.mark.parametrize("through", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_motifs_and_circuits_are_copied_and_pickled(through, of_circuit):
    motif = paper_sal([6, 5, 4])
    motif.add(cs.Phase("one", soma={"W0": 1.0, "W1": 0.5}, noise={"up1": 0.1}), cs.Phase("two"))
    if not of_circuit:
        assert through(motif) == motif
        return
    circuit, (x, target) = compiled(motif, replicas=2), (normal(0, 8, 6), np.arange(8) % 4)
    circuit.step(x, target)
    other = through(circuit)
    for c in (circuit, other, circuit, other):
        c.step(x, target)
    for p in motif.projections:
        np.testing.assert_allclose(weights(other, p.name), weights(circuit, p.name), rtol=1e-12)
    circuit.step(x, target)
    assert other.n_steps == 3 and not np.array_equal(weights(other, "W0"), weights(circuit, "W0"))


@pytest.mark.parametrize("target", [np.array([0, 4]), np.array([0, -1]), np.array([0, 10**9])])
def test_a_class_out_of_range_is_an_error_of_the_package_without_the_check_too(target):
    circuit = compiled(paper_sal([6, 5, 4]))
    before = weights(circuit, "W0")
    for check in (True, False):
        with pytest.raises(cs.CircuitError):
            circuit.step(normal(0, 2, 6), target, check=check)
    assert np.array_equal(weights(circuit, "W0"), before)


# -- what no test noticed


def test_a_runaway_goes_back_to_the_last_good_state_and_not_to_an_older_one():
    """The second replica decays by a known factor a step, until its input grows and it runs away."""
    circuit = compiled(one_layer("eta * pre * post - 0.001 * w", 1, 1, start=1.0, eta=[0.0, 1.0]), replicas=2)
    quiet, loud = torch.zeros(1, 1, dtype=torch.float64), torch.full((1, 1), 1e3, dtype=torch.float64)
    batches = [(quiet, None)] * 230 + [(loud, None)] * 70
    cs.fit(circuit, batches, epochs=1, progress=False)
    assert circuit.pinned == (1,)
    kept = weights(circuit)[1].item()  # `fit` looks every 50 steps: the last good state is that after 200
    np.testing.assert_allclose(kept, 0.999**200, rtol=1e-12)
    np.testing.assert_allclose(weights(circuit)[0].item(), 0.999**300, rtol=1e-12)


def test_rates_that_are_one_number_until_a_schedule_parts_them_act_as_declared():
    motif = cs.Motif("shared")
    motif.add(cs.Population("x", 4), cs.Population("y", 3), cs.Population("z", 3))
    motif.connect("x", "y", name="W", plastic=False)
    motif.connect("x", "z", name="U", plastic=False)
    for name, pre, post, rate in (("V", "y", "z", "eta"), ("Vt", "z", "y", "beta")):
        rule = cs.Rule(f"{rate} * post * pre", **{rate: 0.1})
        motif.connect(pre, post, name=name, compartment="dendrite", init=cs.Constant(0.0), rule=rule)
    circuit, total, scaled = compiled(motif), 0.0, 0.0
    for k, scale in enumerate([1.0] * 4 + [0.5] * 4 + [1.0] * 2 + [0.25] * 3 + [0.0] * 2 + [1.0] * 3):
        circuit.eta_scale = scale
        circuit.step(normal(k, 5, 4))
        y, z = circuit.activity("y")[0].numpy(), circuit.activity("z")[0].numpy()
        total, scaled = total + 0.1 * z.T @ y / 5, scaled + 0.1 * scale * z.T @ y / 5
        np.testing.assert_allclose(weights(circuit, "V")[0], scaled, rtol=1e-10)
        np.testing.assert_allclose(weights(circuit, "Vt")[0], total.T, rtol=1e-10)


@pytest.mark.parametrize(
    "connectivity",
    [cs.All(), cs.Random(0.3), cs.Random(0.03), cs.Mask(normal(0, 40, 60) > 0.5), listed(0, 40, 60, 70)],
    ids=["all", "random", "listed at random", "mask", "edges"],
)
def test_fan_in_counts_the_partners_of_a_row_and_fan_out_those_of_a_column(connectivity):
    found = {}
    for scaling in ("fan_in", "fan_out"):
        motif = cs.Motif("fans")
        motif.add(cs.Population("x", 60), cs.Population("y", 40))
        motif.connect("x", "y", name="W", connectivity=connectivity, init=cs.Gaussian(0.7, scaling))
        circuit = compiled(motif, replicas=2, seed=3)
        found[scaling], mask = weights(circuit), circuit.mask("W").to_dense().numpy()
    rows, columns = mask.sum(2, keepdims=True), mask.sum(1, keepdims=True)
    one, other = (found["fan_in"] * np.sqrt(rows) / 0.7)[mask], (found["fan_out"] * np.sqrt(columns) / 0.7)[mask]
    assert not np.array_equal(np.broadcast_to(rows, mask.shape)[mask], np.broadcast_to(columns, mask.shape)[mask])
    np.testing.assert_allclose(one, other, rtol=1e-12)  # the same draws, each scaled in its way
    assert abs(one.std() - 1) < 5 / np.sqrt(len(one))
