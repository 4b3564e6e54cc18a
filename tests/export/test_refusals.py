"""What cannot be exported is refused, with the object and the reason."""

import pytest

import circuitsim as cs
from circuitsim.export import export_brian2
from motifs import sal
from tests.export.sameness import compiled

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


@pytest.mark.parametrize("name", ["trace", "share", "w_sum"])
def test_states_that_have_the_name_of_something_else(name):
    m = cs.Motif("m")
    m.add(cs.Population("x", 2, trace="2 * activity", state={name: "0.5"}), cs.Population("y", 2))
    m.connect("x", "y", name="W", rule=cs.Rule("pre * post"), state={"w_sum": "1"} if name == "w_sum" else {})
    assert f"{name!r}" in refusal(m) and "rename" in refusal(m)


def test_a_replica_that_ran_away_does_not_follow_its_plan():
    circuit = compiled(motif(), replicas=2)
    circuit.hold(1, circuit.snapshot())
    export_brian2(circuit, replica=0)
    with pytest.raises(cs.CircuitError, match="replica 1 ran away and is held"):
        export_brian2(circuit, replica=1)


@pytest.mark.parametrize(
    "name", ["t", "dt", "i", "N", "second", "pi", "asked_w", "activity", "theta_post", "start", "exp"]
)
def test_parameters_that_mean_something_else_to_brian2(name):
    message = refusal(motif(rule=f"eta * {name}", **{name: 0.5}))
    assert f"'W': Brian2 cannot have a variable {name!r}" in message and "rename it" in message


def test_names_that_brian2_cannot_write():
    assert "'γ': Brian2 takes names of ASCII letters" in refusal(motif(x="γ"))
    assert "two Brian2 objects would be called 'x'" in refusal(motif(name="x"))
    assert "variable 'I_a_post'" in refusal(motif(name="a_post"))


def test_another_device_is_left_alone():
    net = export_brian2(compiled(sal([4, 3, 2])))
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with pytest.raises(cs.CircuitError, match="another Brian2 device is active"):
            net.step([[1.0, 2.0, 3.0, 4.0]], [1])
    finally:
        brian2.get_device().reinit()
        brian2.set_device("runtime")
