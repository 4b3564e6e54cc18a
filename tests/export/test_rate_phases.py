"""Motifs whose step has several phases, in Brian2."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import export_brian2
from motifs import paper_sal, weight_mirror
from tests.export.sameness import assert_same_cycle, assert_same_step, assert_same_weights, compiled, difference

pytest.importorskip("brian2")

LAYERS = [6, 5, 4, 3]


def batches(n_steps: int, n: int = 5, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal((n + k % 2, LAYERS[0])), rng.integers(0, LAYERS[-1], n + k % 2)) for k in range(n_steps)
    ]


def modulated(**options) -> cs.Motif:
    """The second cycle hears through V what each sample left in the first one, and both learn."""
    motif = paper_sal(LAYERS, gain_V=1.0, **options)
    gains = {"W0": 1, "W1": 1, "W2": 1, "V1": 0.3, "V2": -0.4}
    motif.add(cs.Phase("cycle"), cs.Phase("modulated", soma=gains, plastic=["W0", "W1", "V1", "V2"]))
    return motif


@pytest.mark.parametrize("options", [{"trace": None}, {}, {"shuffled": True}, {"regularizer": "homeostatic"}])
def test_a_later_phase_finds_what_each_sample_left_and_the_weights_that_an_earlier_one_changed(options):
    circuit = compiled(modulated(**options))
    net = export_brian2(circuit)
    before = {p.name: net.weights(p.name) for p in circuit.motif.projections}
    for x, target in batches(3):
        assert (
            difference(net.step(x, target), circuit.step(x, target, keep="all").losses["cycle"].item(), "loss") <= 1e-12
        )
        assert_same_cycle(net, circuit, 1e-12)
        assert_same_weights(net, circuit, 1e-12)
    assert all(np.abs(net.weights(name) - before[name]).max() > 1e-4 for name in ("W0", "V1", "Vt1", "Wt1"))


def test_a_weight_that_changes_in_an_earlier_phase_is_seen_changed_in_a_later_one():
    """By hand: w grows by x y in the first phase, by as much again in the second, where y has grown with it."""
    motif = cs.Motif("twice")
    motif.add(cs.Population("x", 1), cs.Population("y", 1, state={"seen": cs.State("seen + activity", start=0.0)}))
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), rule=cs.Rule("pre * post"))
    motif.add(cs.Phase("first"), cs.Phase("second"))
    net = export_brian2(compiled(motif))
    net.step([[1.0], [2.0]])
    w = 0.5 * (1 + 2.5) * (1 + 2.5)  # mean x^2 = 2.5
    np.testing.assert_allclose(net.weights("W"), w, rtol=1e-15)
    np.testing.assert_allclose(net.activity("y")[:, 0], [0.5 * 3.5, 0.5 * 3.5 * 2], rtol=1e-15)
    np.testing.assert_allclose(net.state("y", "seen"), 1.5 * 0.5 * (1 + 3.5), rtol=1e-15)  # mean x = 1.5


def test_a_phase_in_which_nothing_happens_is_passed_over():
    motif = cs.Motif("rests")
    motif.add(
        cs.Population("x", 1), cs.Population("y", 1), cs.Phase("rest", soma=[], inputs=[], plastic=[]), cs.Phase("act")
    )
    motif.connect("x", "y", name="W", init=cs.Constant(0.5), rule="pre * post")
    net = export_brian2(compiled(motif))
    net.step([[1.0], [2.0]])
    np.testing.assert_allclose(net.weights("W"), 0.5 * (1 + 2.5), rtol=1e-15)  # mean x^2 = 2.5


def test_noise_in_a_phase_is_the_circuits_own_also_from_the_middle_on():
    circuit = compiled(weight_mirror(LAYERS, eta=0.3, noise=0.8))
    for x, target in batches(3):
        circuit.step(x, target)
    net = export_brian2(circuit)
    assert net.n_passes == 3
    for x, target in batches(2, seed=1):
        assert_same_step(net, circuit, x, target)
    with pytest.raises(cs.ParameterError, match="no population 'up9'"):
        net.activity("up9")
    with pytest.raises(cs.ParameterError, match="no projection 'W9'"):
        net.current("W9")


def test_each_objective_is_judged_where_its_output_is_driven_and_what_nothing_has_driven_is_0():
    motif = cs.Motif("late")
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="relu", trace="activity + 1"))
    motif.add(cs.Population("late", 2, trace="activity + 1"), cs.Phase("first", soma=["W"]), cs.Phase("second"))
    motif.add(cs.Phase("third", soma=["U"], plastic=["W", "V"]))
    for output in ("y", "late"):
        motif.add(cs.Population(f"e_{output}", 2, stream="descending"), cs.Objective(output, f"e_{output}", "mse"))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * (slope_post * pre + (pre > 0) * post / pre)", eta=0.1))
    motif.connect("x", "late", name="U", rule=cs.Rule("eta * (slope_post + drive_post + post) * pre", eta=0.1))
    motif.connect(
        "late", "y", name="V", compartment="dendrite", rule=cs.Rule("eta * (slope_post - drive_post) * pre", eta=0.1)
    )
    circuit = compiled(motif)
    net = export_brian2(circuit)
    x, target = np.array([[0.0, 1.0, -1.0], [1.0, 0.0, 2.0]]), {"y": np.ones((2, 2)), "late": np.zeros((2, 2))}
    for _ in range(2):
        assert_same_step(net, circuit, x, target)
    losses = circuit.step(x, target).losses
    # that of `late` is judged in the second
    assert difference(net.step(x, target), losses["first"].item(), "loss") > 0.01


@pytest.mark.slow  # compiles for a minute
def test_a_standalone_program_goes_through_phases():
    circuit = compiled(weight_mirror(LAYERS, eta=0.3, noise=0.8))
    net = export_brian2(circuit, target="cpp_standalone")
    given = batches(20)
    losses = net.run(given, record=True)
    assert difference(losses, [circuit.step(*b, keep="all").loss.item() for b in given], "losses") <= 1e-10
    assert_same_cycle(net, circuit, 1e-10)
    assert_same_weights(net, circuit, 1e-10)
