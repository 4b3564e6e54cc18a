"""What cannot be exported is refused, with the object and the reason."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import export_brian2
from motifs import paper_sal
from tests.export.sameness import assert_same_step, compiled

brian2 = pytest.importorskip("brian2")


def motif(name: str = "W", x: str = "x", rule: str = "eta * pre", **parameters: float) -> cs.Motif:
    m = cs.Motif("m")
    m.add(cs.Population(x, 2), cs.Population("y", 2))
    m.connect(x, "y", name=name, rule=cs.Rule(rule, **{"eta": 0.1, **parameters}))
    return m


def refusal(m: cs.Motif, **options) -> str:
    with pytest.raises(cs.CircuitError) as caught:
        export_brian2(compiled(m), **options)
    return str(caught.value)


def test_arguments():
    circuit = compiled(motif(), replicas=2)
    for options, message in (
        ({"mode": "spikes"}, "mode must be one of"),
        ({"target": "java"}, "target must be one of"),
        ({"replica": 2}, r"replica must be in 0 .. 1 \(got 2\)"),
        ({"replica": True}, "replica must be in"),
        ({"directory": "here"}, "writes no program"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            export_brian2(circuit, **options)


@pytest.mark.parametrize("kind", ["max_in", "max_out"])
def test_maxima_run_in_python_so_not_in_a_standalone_program(kind):
    message = refusal(motif(rule=f"eta * (w - {kind}(w))"), target="cpp_standalone")
    assert f"projection 'W': its rule uses {kind}" in message and "use target 'numpy'" in message


def test_activity_of_the_sweep_before():
    message = refusal(motif().replace("y", activation="0.7 * previous + 0.3 * drive"))
    assert "population 'y': its activation reads `previous`" in message


def test_a_replica_that_ran_away_does_not_follow_its_plan():
    circuit = compiled(motif(), replicas=2)
    circuit.pin_replica(1, circuit.snapshot())
    export_brian2(circuit, replica=0)
    with pytest.raises(cs.CircuitError, match="replica 1 is pinned to a snapshot"):
        export_brian2(circuit, replica=1)


def test_names_of_parameters_and_states_may_mean_something_else_to_brian2():
    """Units, constants, functions, attributes, endings, other alphabets, and what the export itself is called."""
    names = [
        "t", "dt", "i", "N", "second", "pi", "e", "exp", "xi", "inf", "asked_w", "activity", "theta_post", "start",
        "delay", "self", "owner", "connect", "variables", "lastspike", "name", "drive", "trace", "share", "w_sum", "η",
        "eta",
    ]  # fmt: skip
    parameters = {name: 0.01 * (k + 1) for k, name in enumerate(names)}
    m = cs.Motif("m")
    states = {name: cs.State(f"0.5 * {name} + activity", start=0.1) for name in ("e", "trace", "share", "delay", "η")}
    m.add(cs.Population("x", 2, trace="2 * activity"), cs.Population("y", 2, activation="tanh", state=states))
    own = {name: cs.State(f"0.9 * {name} + pre * post", start=0.2) for name in ("r", "w_total", "self_", "clock")}
    rule = " + ".join([*names, *own, *(f"{name}_post" for name in states if name != "theta")])
    m.connect("x", "y", name="W", rule=cs.Rule(f"pre * ({rule})", **parameters), state=own)
    circuit = compiled(m)
    net = export_brian2(circuit)
    for x in ([[1.0, -0.5], [0.3, 2.0]], [[0.2, 0.5], [-0.3, 1.0]]):
        assert_same_step(net, circuit, x, None)


def test_examples_of_the_documentation_are_exported():
    rules = {  # docs/rule_language.md, docs/how_to/add_a_rule.md
        "eta * e": {"eta": 0.1},
        "eta * (post - mean_post) * (pre - mean_pre) + e": {"eta": 0.01, "mean_post": 0.1, "mean_pre": 0.1},
    }
    theta = cs.State("theta + (activity**2 - theta) / tau", start=1.0, tau=50)
    for rule, parameters in rules.items():
        m = cs.Motif("m")
        m.add(cs.Population("x", 2), cs.Population("y", 2, activation="relu(drive - theta)", state={"theta": theta}))
        m.connect("x", "y", name="W", rule=cs.Rule(rule, **parameters), state={"e": "0.9 * e + pre * post"})
        circuit = compiled(m)
        net = export_brian2(circuit)
        for x in ([[3.0, -0.5], [0.3, 2.0]], [[0.2, 5.0], [-3.0, 1.0]]):
            assert_same_step(net, circuit, x, None)


def test_names_that_brian2_cannot_write():
    assert "'γ': Brian2 names begin with an ASCII letter" in refusal(motif(x="γ"))
    assert "two Brian2 objects would be called 'x'" in refusal(motif(name="x"))
    assert "variable 'I_a_post'" in refusal(motif(name="a_post"))


def test_states_of_one_name():
    """At both ends of a synapse, and at the synapse itself."""
    m = cs.Motif("m")
    m.add(cs.Population("x", 2, state={"s": cs.State("s + activity", start=0.5)}))
    m.add(cs.Population("y", 2, state={"s": cs.State("0.9 * s + tanh(drive)", start=0.2)}))
    m.connect("x", "y", name="W", rule=cs.Rule("0.1 * s * (post * pre - s_post * s_pre)"), state={"s": "0.5 * s + 1"})
    circuit = compiled(m)
    assert_same_step(export_brian2(circuit), circuit, [[1.0, -0.5], [0.3, 2.0]], None)
    same = cs.Motif("m")
    same.add(cs.Population("x", 2), cs.Population("y", 2, state={"s": "1"}))
    same.connect("x", "y", name="y", rule=cs.Rule("0.1 * post * pre"), state={"s": "2"})
    assert "two Brian2 objects would be called 'y'" in refusal(same)


def test_another_device_is_left_alone():
    net = export_brian2(compiled(paper_sal([4, 3, 2])))
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with pytest.raises(cs.CircuitError, match="another Brian2 device is active"):
            net.step([[1.0, 2.0, 3.0, 4.0]], [1])
    finally:
        brian2.get_device().reinit()
        brian2.set_device("runtime")


def test_synapses_that_come_and_go_have_no_counterpart():
    rewired = motif().replace("W", rewiring=cs.Rewiring(every_steps=50, share=0.1))
    assert "projection 'W' is rewired every 50 steps, but the synapses of a network in Brian2" in refusal(rewired)


def test_grown_and_local_synapses_are_exported_and_read_back():
    m = cs.Motif("map")
    m.add(cs.Population("x", shape=(1, 8, 8)), cs.Population("y", shape=(4, 4), activation="relu"))
    m.connect("x", "y", name="W", connectivity=cs.Local(1, stride=2), rule="0.1 * pre * post")
    m.connect("x", "y", name="S", connectivity=cs.Random(0.02))
    circuit = compiled(m)
    circuit.grow("W", n=5)
    circuit.prune("S", quantile=0.2)
    circuit.grow("S", n=12)
    back = cs.circuit_from_brian2(export_brian2(circuit))
    for name in ("W", "S"):
        assert (back.mask(name).to_dense() == circuit.mask(name).to_dense()).all()
        assert (back.weights(name).to_dense() == circuit.weights(name).to_dense()).all()


def test_signs_of_neurons_hold_in_the_network_too():
    m = cs.Motif("signed")
    m.add(cs.Population("x", 3, sign="excitatory"), cs.Population("y", 2, sign="inhibitory"), cs.Population("z", 2))
    m.connect("x", "y", name="W", rule="eta * (post - 1) * pre**2", parameters={"eta": 0.5})
    m.connect("y", "z", name="U", rule="eta * (1 - post) * pre**2", parameters={"eta": 0.5})
    circuit = compiled(m)
    net = export_brian2(circuit)
    for k in range(6):
        assert_same_step(net, circuit, np.random.default_rng(k).standard_normal((3, 3)), None)
    assert (circuit.weights("W") >= 0).all() and (circuit.weights("U") <= 0).all()
    assert (circuit.weights("W") == 0).any() or (circuit.weights("U") == 0).any()


def test_weights_that_are_read_back_belong_to_projections():
    circuit = compiled(paper_sal([4, 3, 2]))
    net = export_brian2(circuit)
    given = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(cs.circuit_from_brian2(net, {"W0": given}).weights("W0")[0].numpy(), given)
    with pytest.raises(cs.MotifError, match="W9"):
        cs.circuit_from_brian2(net, {"W9": given})
    with pytest.raises(cs.ParameterError, match="circuit_from_brian2 takes an ExportedNetwork .got int."):
        cs.circuit_from_brian2(5)
