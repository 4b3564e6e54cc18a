"""What the exported network is, beside being the same circuit."""

import subprocess
import sys

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import export_brian2
from motifs import backprop, paper_sal
from tests.export.sameness import assert_same_cycle, assert_same_step, assert_same_weights, compiled, difference

brian2 = pytest.importorskip("brian2")

LAYERS = [6, 5, 3]


def batch(n: int = 4, seed: int = 0, n_inputs: int = LAYERS[0]):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, n_inputs)), rng.integers(0, LAYERS[-1], n)


def hebb(rule: str = "eta * post * pre", **options) -> cs.Motif:
    """x -> y with one rule."""
    motif = cs.Motif("hebb")
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="tanh"))
    motif.connect("x", "y", name="W", rule=cs.Rule(rule, eta=0.1, **options))
    return motif


def test_a_mean_over_the_batch_or_a_shuffled_error_takes_another_pass():
    passes = {
        "no mean": export_brian2(compiled(paper_sal(LAYERS, trace=None))).n_passes,
        "mean": export_brian2(compiled(paper_sal(LAYERS))).n_passes,
        "mean of a mean": export_brian2(
            compiled(paper_sal(LAYERS, trace="mean(abs(activity - mean(activity)))"))
        ).n_passes,
        "shuffled": export_brian2(compiled(paper_sal(LAYERS, trace=None, shuffled=True))).n_passes,
    }
    assert passes == {"no mean": 1, "mean": 2, "mean of a mean": 3, "shuffled": 2}


def test_batches_of_different_sizes_run_in_one_go():
    circuit = compiled(paper_sal(LAYERS))
    net = export_brian2(circuit)
    batches, program = [batch(n, seed=n) for n in (3, 1, 5)], net.blueprint.digest()
    losses = net.run(batches, record=True)
    assert net.blueprint.digest() == program  # which the next run would use too
    assert difference(losses, [circuit.step(*b, keep="all").loss.item() for b in batches], "losses") <= 1e-12
    assert_same_weights(net, circuit, 1e-12)
    assert_same_cycle(net, circuit, 1e-12)


def test_what_things_are_called_does_not_change_what_they_do():
    """Brian2 breaks ties within a slot by name."""

    def motif(up: str, down: str, w: str, v: str) -> cs.Motif:
        m = cs.Motif()
        m.add(cs.Population("x", 4), cs.Population(up, 3, activation="relu"), cs.Population("out", 2))
        m.add(cs.Population(down, 2, stream="descending"), cs.Objective("out", down))
        rule = f"eta * (slope_post * I_{v} * pre - 0.1 * w)"
        m.connect("x", up, name=w, rule=cs.Rule(rule, eta=0.3), init=cs.Given(np.arange(12).reshape(3, 4) / 20 - 0.2))
        m.connect(up, "out", name="top", init=cs.Constant(0.3))
        given = cs.Given(np.array([[0.5, -0.2], [0.1, 0.9], [-0.4, 0.3]]))
        m.connect(down, up, name=v, compartment="dendrite", rule=cs.Rule("eta * post * pre", eta=0.2), init=given)
        return m

    nets = {w: export_brian2(compiled(motif(up, down, w, v))) for up, down, w, v in ("admb", "zaym", "pcbq", "bdAZ")}
    x, target = batch(n_inputs=4)
    changed = []
    for w, net in nets.items():
        net.step(x, target % 2)
        changed.append(net.weights(w))
    assert all(np.array_equal(changed[0], other) for other in changed[1:])
    orders = [(obj.when, obj.order) for obj in net.network.sorted_objects if getattr(obj, "codeobj", None) is not None]
    assert len(set(orders)) == len(orders) > 5


def test_one_replica_is_exported_with_its_own_weights_masks_and_parameters():
    motif = (
        paper_sal(LAYERS).replace("V1", connectivity=cs.Random(0.5)).replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    )
    circuit = cs.compile(
        motif, replicas=3, seed=1, dtype="float64", device="cpu", vary={"W0.eta": [0.1, 0.2, 0.3]}, record_changes=True
    )
    net = export_brian2(circuit, replica=2)
    assert net.network["W0"].eta == pytest.approx(0.3)
    assert len(net.network["V1"]) == int(circuit.mask("V1")[2].sum()) < 25  # absent synapses do not exist
    assert_same_step(net, circuit, *batch(), replica=2)


def test_parameters_of_single_synapses_and_bounds_are_kept():
    theta = np.random.default_rng(0).uniform(0.1, 1.0, (2, 3))
    circuit = compiled(hebb("eta * (post - theta) * pre - 0.05 * w", theta=theta).replace("W", bounds=(0.0, None)))
    net = export_brian2(circuit)
    for seed in range(3):
        assert_same_step(net, circuit, batch(seed=seed, n_inputs=3)[0], None)
    assert net.weights("W").min() == 0.0


def test_the_state_at_the_export_is_what_counts():
    circuit = compiled(paper_sal(LAYERS))
    circuit.step(*batch())
    circuit.freeze("W0")
    circuit.prune("V1", 0.02)
    circuit.eta_scale = 0.3
    net = export_brian2(circuit)
    assert_same_step(net, circuit, *batch())
    exported = net.weights("W1")
    circuit.step(*batch())
    assert np.array_equal(net.weights("W1"), exported)


def test_tied_weights_follow_their_source_at_each_step():
    tie = cs.Derived("W2", True, np.float64(-0.7), sign=True)
    circuit = compiled(backprop([6, 5, 4, 3], eta=0.5).replace("Wt2", tied_to=tie))
    net = export_brian2(circuit)
    for seed in range(3):
        assert_same_step(net, circuit, *batch(seed=seed))
        assert np.array_equal(net.weights("Wt1"), net.weights("W1").T)
        assert np.array_equal(net.weights("Wt2"), -0.7 * np.sign(net.weights("W2").T))


def test_softmax_of_far_apart_outputs_does_not_overflow():
    motif = cs.Motif()
    motif.add(cs.Population("x", 3), cs.Population("out", 3), cs.Population("e", 3, stream="descending"))
    motif.connect("x", "out", name="W", init=cs.Identity())
    motif.add(cs.Objective("out", "e"))
    circuit = compiled(motif)
    net = export_brian2(circuit)
    x = np.array([[900.0, 0.0, -900.0]])
    for wanted, expected in ((0, 0.0), (1, 900.0)):
        assert net.step(x, [wanted]) == expected
        circuit.step(x, [wanted], keep="all")
        assert_same_cycle(net, circuit, 1e-12)


@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
def test_maxima_over_synapses_and_functions_that_jump():
    rule = (
        "eta * (pre >= max_out(w) / 2) * post * (w - 0.3 * max_in(abs(w) * pre)) + 0.1 * clip(sign(post), 0.3, -0.2)"
        " + eta * where(w > 0, 1 / w, sqrt(abs(w))) * minimum(pre, post) * exp(-relu(w)) ** -2 * (w != 0)"
    )
    motif = hebb(rule).replace("W", connectivity=cs.Mask([[1, 0, 1], [0, 0, 0]]), init=cs.Constant(0.4))
    circuit = compiled(motif)
    assert_same_step(export_brian2(circuit), circuit, batch(n_inputs=3)[0], None)


@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
def test_a_script_takes_the_same_steps_without_circuitsim(tmp_path):
    """In a process of its own, from the state after a step, with means, noise, signals, ties, maxima and odd names."""
    motif = paper_sal(LAYERS, gain_V=1.0)
    motif.add(cs.Signal("reward"), cs.Phase("first", noise={"up1": 0.1}), cs.Phase("second"))
    rule = "eta * reward * post * pre / max_in(1 + abs(w)) + 0.1 * where(w > 0, 1, relu(w))"
    motif.add(cs.Population("where", 2, activation="tanh"))
    motif.connect("up0", "where", name="lambda", rule=cs.Rule(rule, eta=0.3))
    motif.connect("where", "up0", name="tied", compartment="dendrite", tied_to=cs.Derived("lambda", transpose=True))
    circuit = compiled(motif)
    net = export_brian2(circuit)
    batches = [(*batch(n, seed=n), {"reward": np.arange(n) - 1.0}) for n in (2, 3, 1)]
    assert_same_step(net, circuit, *batches[0])
    before = {p.name: net.weights(p.name) for p in circuit.plan.plastic()}
    path = net.export_script(tmp_path / "steps.py", batches[1:])
    assert "circuitsim" not in path.read_text().replace("Written by circuitsim", "")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    losses = [circuit.step(*b).loss.item() for b in batches[1:]]
    with np.load(tmp_path / "steps_results.npz") as results:
        for name, weights in before.items():
            found = np.zeros_like(weights)
            found.T[net.exists(name).T] = results[f"w_{name}"]  # Brian2's order: [pre, post]
            assert np.abs(found - weights).max() > 1e-4, name
            assert difference(found, circuit.weights(name)[0], name) <= 1e-12
    assert np.array_equal(net.weights("W0"), before["W0"])  # the network itself has not run
    assert difference(net.run(batches[1:]), losses, "losses") <= 1e-12  # the same noise as in the script


@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
@pytest.mark.parametrize(
    "rule",
    [
        "eta * (pre > 0) * post / pre",
        "eta * (pre > 0) ** 2 / pre - 0.1 * w",
        "eta * (pre > 0) * (w > 0) * post / (pre * w) * (post > 0)",
        "eta * (pre > 0) * tanh(post * pre) / pre",
        "eta * (0 < pre) * sum_in((pre > 0) / pre)",
        "eta * (w > 0) * sum_out(post) / w",
        "eta * where(pre > 0, post / pre, 0.1)",
        "eta * (eta > 0.05) * post - (eta < 0.05) * w / (eta - eta**2)",
    ],
)
def test_a_product_with_a_closed_gate_is_0_whatever_else_is_in_it(rule):
    given = cs.Given(np.array([[0.5, -0.2, 0.0], [0.0, 0.9, 0.4]]))
    circuit = compiled(hebb(rule).replace("W", init=given))
    net = export_brian2(circuit)
    assert "where(int(" in str(net)
    assert_same_step(net, circuit, [[0.0, 1.5, -0.5], [0.0, 0.0, 2.0]], None)


def test_neurons_and_synapses_remember_and_rules_read_signals_and_noise():
    motif = cs.Motif("memory")
    theta = cs.State("theta + 0.2 * (activity**2 - mean(activity * reward) - theta) + 0.1 * slow", start=0.5)
    slow = cs.State("0.9 * slow + 0.1 * theta", start=0.2)
    motif.add(cs.Population("x", 3), cs.Signal("reward"), cs.Phase("only", noise={"y": 0.3}))
    motif.add(cs.Population("y", 2, activation="tanh(drive - theta)", state={"theta": theta, "slow": slow}))
    motif.connect(
        "x", "y", name="W",
        rule=cs.Rule("eta * reward * trail * (post - theta_post) + 0.01 * trail - 0.02 * w * sum_in(abs(w))", eta=0.2),
        state={"trail": cs.State("0.7 * trail + post * pre - 0.1 * slow_post * w / max_out(w**2) + 0.01 * reward")},
    )  # fmt: skip
    circuit = compiled(motif, replicas=2)
    net = export_brian2(circuit, replica=1)
    assert net.n_passes == 2
    for seed in range(3):
        x, _ = batch(seed=seed, n_inputs=3)
        assert_same_step(net, circuit, x, None, {"reward": x[:, 0] + 1}, replica=1)
    with pytest.raises(cs.DataError, match="'reward': Brian2 cannot call a function of the circuit"):
        net.step(x, signals={"reward": lambda circuit: x[:, 0]})
    with pytest.raises(cs.ParameterError, match=r"no state 'phi' of 'y' \(known: theta, slow\)"):
        net.state("y", "phi")


def test_a_motif_without_synapses_or_objective():
    motif = hebb().replace("W", connectivity=cs.Mask(np.zeros((2, 3))))
    circuit = compiled(motif)
    net = export_brian2(circuit)
    assert_same_step(net, circuit, batch(n_inputs=3)[0], None)
    assert not net.weights("W").any()


def test_other_networks_of_the_session_are_left_alone():
    circuit = compiled(hebb())
    net = export_brian2(circuit)
    before = brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype
    brian2.prefs.core.default_float_dtype = np.float32
    try:
        assert_same_step(net, circuit, *batch(n_inputs=3))
        assert (brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype) == (before[0], np.float32)
    finally:
        brian2.prefs.core.default_float_dtype = before[1]
    group = brian2.NeuronGroup(1, "dv/dt = -v/ms : 1", name="mine", method="euler")
    collected = brian2.Network(brian2.collect())
    assert {obj.name for obj in collected.objects} == {group.name}
    collected.run(0 * brian2.ms)


def test_reading_needs_a_step_and_known_names():
    net = export_brian2(compiled(paper_sal(LAYERS)))
    with pytest.raises(cs.ParameterError, match=r"no activity of 'up1' was recorded: use step"):
        net.activity("up1")
    net.run([batch()])
    with pytest.raises(cs.ParameterError, match=r"run\(..., record=True\)"):
        net.current("V1")
    with pytest.raises(cs.ParameterError, match=r"no population 'up9' \(known: up0, up1"):
        net.activity("up9")
    with pytest.raises(cs.ParameterError, match=r"no projection 'W9' \(known: W0"):
        net.weights("W9")
    with pytest.raises(cs.ParameterError, match="at least one batch"):
        net.run([])
    with pytest.raises(cs.DataError, match=r"input 'up0' has shape \[4, 2\]"):
        net.step(np.zeros((4, 2)), [0, 1, 2, 0])


def test_reductions_over_a_population_are_sums_over_synapses_within_it():
    activation = "relu(drive - 0.3 * max(drive)) + softmax(2 * drive) * norm(drive + 0.1) + rank(drive) - sum(0.3)"
    motif = cs.Motif("lateral")
    trace = "activity / (norm(activity) + 0.1) + mean(sum(activity))"
    state = "s + softmax(s + drive) * norm(activity - mean(activity))"
    motif.add(cs.Population("x", 4), cs.Population("y", 5, activation=activation, trace=trace, state={"s": state}))
    motif.connect("x", "y", name="W", rule="eta * slope_post * post * pre", parameters={"eta": 0.1})
    circuit = compiled(motif)
    net = export_brian2(circuit)
    x = np.random.default_rng(0).normal(size=(2, 7, 4))
    x[0, 0] = 0.0  # equal drives, which are ranked by index
    for batch in x:
        assert_same_step(net, circuit, batch, None)
        np.testing.assert_allclose(net.activity("y"), circuit.activity("y")[0], rtol=1e-13)
        np.testing.assert_allclose(net.state("y", "s"), circuit.state("y", "s")[0], rtol=1e-11)


def test_the_network_can_be_read():
    text = str(export_brian2(compiled(paper_sal(LAYERS))))
    for line in (
        "up1[5]: drive, activity, trace, I_W0, mean_0 (of up1_mean), I_V1",
        "W0: up0 -> up1, 30 synapses: w, eta, gamma, w_sum",
        "W0: I_W0_post = sum of w*activity_pre",
        "up1: drive = I_W0; activity = clip(drive, 0.0, inf)",
        "Vt1: I_Vt1_post = sum of w*trace_pre",
        "asked_w = where(learns(t), share(t)*(where(int(drive_post > 0.0), eta*I_V1_post*trace_pre, 0.0)), 0.0)",
    ):
        assert line in text
