"""Phases that run several times: their oracles are the same phases written out, closed forms, and NumPy."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import circuitsim as cs


def compiled(motif: cs.Motif, **options) -> cs.Circuit:
    return cs.compile(motif, **{"dtype": "float64", "device": "cpu", **options})


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def loop(*phases: cs.Phase, delay: int = 1, activation: str = "previous + 0.3 * (tanh(drive) - previous)") -> cs.Motif:
    """An input drives a hidden population with synapses onto itself, which drives an output that is judged."""
    motif = cs.Motif("loop")
    motif.add(cs.Population("x", 4), cs.Population("h", 3, activation=activation), cs.Population("y", 2))
    motif.add(cs.Population("e", 2, "descending"), cs.Objective("y", "e", "mse"))
    rule = cs.Rule("eta * (slope_post * I_V * pre - 0.1 * w)", eta=0.1)
    motif.connect("x", "h", name="W", rule=rule)
    motif.connect("h", "h", name="R", delay=delay, rule=rule)
    motif.connect("h", "y", name="U", rule=cs.Rule("eta * I_E * pre", eta=0.1))
    motif.connect("e", "h", name="V", compartment="dendrite")
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.add(*phases)
    return motif


def assert_same_weights(one: cs.Circuit, other: cs.Circuit) -> None:
    for p in one.motif.projections:
        np.testing.assert_allclose(one.weights(p.name).numpy(), other.weights(p.name).numpy(), rtol=1e-12, atol=1e-14)


# -- repeat


@pytest.mark.parametrize("apply", ["phase", "iteration", "step"])
def test_a_phase_that_repeats_is_that_many_phases_in_a_row(apply):
    changing = {"iteration": None}.get(apply, [])  # what the phases that are written out change, but for the last
    written = [cs.Phase(f"p{k}", plastic=changing) for k in range(3)]
    written.append(cs.Phase("p", apply="step" if apply == "step" else "phase"))
    short = compiled(loop(cs.Phase("p", repeat=4, apply=apply)), replicas=2)
    long = compiled(loop(*written), replicas=2)
    start = short.weights("R")
    for k in range(3):
        x, target = normal(k, 5, 4), normal(k + 9, 5, 2)
        results = [circuit.step(x, target) for circuit in (short, long)]
        np.testing.assert_allclose(results[0].losses["p"], results[1].losses["p"], rtol=1e-12)
    assert set(results[0].losses) == {"p"} and not torch.equal(short.weights("R"), start)
    assert_same_weights(short, long)


def test_a_leaky_unit_approaches_its_input():
    motif = cs.Motif("leaky")
    motif.add(cs.Population("x", 2), cs.Population("h", 2, activation="previous + 0.25 * (drive - previous)"))
    motif.connect("x", "h", name="W", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.add(cs.Phase("settle", repeat=7))
    x = normal(0, 3, 2)
    np.testing.assert_allclose(compiled(motif).predict(x, "h")[0], (1 - 0.75**7) * x, rtol=1e-12)


def test_excitation_and_inhibition_settle_where_their_equations_say():
    motif = cs.Motif("E-I-E")
    motif.add(cs.Population("x", 3), cs.Population("E", 4), cs.Population("I", 2))
    motif.connect("x", "E", name="W", bounds=(0, None))
    motif.connect("E", "I", name="EI", bounds=(0, None), init=cs.Gaussian(0.3, sign="positive"))
    motif.connect("I", "E", name="IE", bounds=(None, 0), init=cs.Gaussian(0.3, sign="negative"), delay=1)
    motif.add(cs.Phase("settle", repeat=200))
    circuit, x = compiled(motif), normal(1, 5, 3)
    W, EI, IE = (circuit.weights(name)[0].numpy() for name in ("W", "EI", "IE"))
    expected = np.linalg.solve(np.eye(4) - IE @ EI, W @ x.T).T
    np.testing.assert_allclose(circuit.predict(x, "E")[0], expected, rtol=1e-10)
    assert (EI >= 0).all() and (IE <= 0).all() and np.abs(expected - x @ W.T).max() > 0.01


@pytest.mark.parametrize(("delay", "arrives"), [(1, [0, 1, 1, 1]), (2, [0, 0, 1, 1]), (3, [0, 0, 0, 1])])
def test_a_current_with_a_delay_is_that_many_iterations_behind(delay, arrives):
    for repeat, factor in enumerate(arrives, 1):
        motif = cs.Motif("late")
        motif.add(cs.Population("x", 2), cs.Population("y", 2))
        motif.connect("x", "y", name="W", delay=delay, init=cs.Identity(), rule=cs.Rule("pre + activity_pre"))
        motif.add(cs.Phase("p", repeat=repeat))
        circuit, x = compiled(motif), normal(2, 3, 2)
        np.testing.assert_allclose(circuit.predict(x, "y")[0], factor * x, rtol=1e-12)
        circuit.step(x)
        change = circuit.weights("W")[0].numpy() - np.eye(2)
        np.testing.assert_allclose(change, np.tile(2 * factor * x.mean(0), (2, 1)), rtol=1e-12, atol=1e-15)


def test_a_rule_reads_what_an_earlier_iteration_left_whatever_drives_the_neuron_now():
    motif = cs.Motif("rest")
    motif.add(cs.Population("x", 2), cs.Population("h", 2, activation="drive + 1"), cs.Population("y", 2))
    motif.connect("x", "h", name="W", init=cs.Identity())
    rule = cs.Rule("(drive_pre + 10 * slope_pre) * in_rest")
    motif.connect("h", "y", name="R", delay=2, init=cs.Constant(0.0), rule=rule)
    motif.add(cs.Phase("one", plastic=[]), cs.Phase("two", plastic=[]))
    motif.add(cs.Phase("rest", soma=["R"], noise={"h": 0.0}))
    circuit, x = compiled(motif), normal(7, 4, 2)
    circuit.step(x)
    np.testing.assert_allclose(circuit.weights("R")[0], np.tile(x.mean(0) + 10, (2, 1)), rtol=1e-12)


def test_a_trace_is_that_of_the_last_phase_that_computed_the_neuron():
    motif = cs.Motif("rest")
    motif.add(cs.Population("x", 2), cs.Population("h", 2, activation="drive + 1", trace="activity - 3 * drive"))
    motif.connect("x", "h", name="W", init=cs.Identity(), rule=cs.Rule("in_kept * (post + 10 * activity_post)"))
    motif.add(cs.Phase("one"), cs.Phase("two", soma=[], noise={"h": 0.0}), cs.Phase("kept", soma=[]))
    circuit = compiled(motif)
    circuit.step(normal(8, 4, 2))
    np.testing.assert_allclose(circuit.weights("W")[0], np.eye(2) + 11, rtol=1e-12)


def test_an_activation_reads_what_is_computed_later_as_the_iteration_before_left_it():
    motif = cs.Motif("pair")
    motif.add(cs.Population("x", 1), cs.Population("a", 1, activation="drive + 0.5 * activity_b"))
    motif.add(cs.Population("b", 1, activation="2 * activity_a"))
    motif.connect("x", "a", name="W", init=cs.Constant(1.0))
    with pytest.raises(cs.MotifError, match=r"form a cycle, .*: a -\[gate\]-> b -\[gate\]-> a"):
        motif.validate()
    for phases in ([cs.Phase("p", repeat=3)], [cs.Phase(f"p{k}") for k in range(3)]):
        phased = cs.Motif.from_json(motif.to_json())
        phased.add(*phases)
        np.testing.assert_allclose(compiled(phased).predict([[1.0]], "b")[0], [[6.0]])  # a is 1, 2, 3


# -- apply


def test_with_apply_step_all_phases_compute_their_changes_from_the_same_weights():
    rule = cs.Rule("eta * (2 * in_two - in_one) * post * pre", eta=0.5)
    circuits = {}
    for apply in ("phase", "step"):
        motif = cs.Motif("contrast")
        motif.add(cs.Population("x", 3), cs.Population("y", 2))
        motif.connect("x", "y", name="W", rule=rule)
        motif.add(cs.Phase("one", apply=apply), cs.Phase("two", apply=apply))
        circuits[apply] = compiled(motif, record_changes=True)
    x = normal(3, 6, 3)
    moment = x.T @ x / 6
    W = circuits["step"].weights("W")[0].numpy()
    for circuit in circuits.values():
        circuit.step(x)
    np.testing.assert_allclose(circuits["step"].last_change("W")[0], 0.5 * W @ moment, rtol=1e-12)
    after = W - 0.5 * W @ moment
    np.testing.assert_allclose(circuits["phase"].weights("W")[0], after + after @ moment, rtol=1e-12)


def test_a_deferred_change_reads_states_as_its_phase_found_them():
    motif = cs.Motif("states")
    motif.add(cs.Population("x", 2, state={"s": cs.State("s + 1", start=1.0)}), cs.Population("y", 2))
    motif.connect(
        "x", "y", name="W", init=cs.Constant(0.0), rule=cs.Rule("10 * t + s_pre"), state={"t": cs.State("t + 1")}
    )
    motif.add(cs.Phase("one", apply="step"), cs.Phase("two", apply="step"))
    circuit = compiled(motif)
    circuit.step(np.ones((1, 2)))
    np.testing.assert_allclose(circuit.weights("W")[0], np.full((2, 2), 10 * (0 + 1) + 1 + 2))


def hopfield(beta: float, n: int, delay: int = 1) -> cs.Motif:
    """Equilibrium propagation (Scellier & Bengio 2017): a layered Hopfield network, settled freely, then nudged."""
    settle = "clip(previous + 0.5 * (drive - previous), 0, 1)"
    rule = cs.Rule("eta * (in_nudged - in_free) * post * pre", eta=1.0 / beta)
    motif = cs.Motif("equilibrium propagation")
    motif.add(cs.Population("x", 6), cs.Population("h", 5, activation=settle), cs.Population("y", 3, activation=settle))
    motif.add(cs.Population("e", 3, "descending"), cs.Objective("y", "e", "mse"))
    motif.connect("x", "h", name="W0", rule=rule, init=cs.Uniform(0, 0.2))
    motif.connect("h", "y", name="W1", rule=rule, init=cs.Uniform(0, 0.2))
    motif.connect("y", "h", name="B1", tied_to=cs.Derived("W1", transpose=True), delay=1)
    motif.connect("e", "y", name="N", connectivity=cs.OneToOne(), init=cs.Identity(), plastic=False, delay=1)
    drives = ["W0", "W1", "B1"]
    motif.add(cs.Phase("free", soma=drives, repeat=n, apply="step"))
    motif.add(cs.Phase("nudged", soma={**dict.fromkeys(drives, 1.0), "N": beta}, repeat=n, apply="step"))
    return motif


def test_equilibrium_propagation_follows_the_gradient_of_its_fixed_point():
    circuit = compiled(hopfield(1e-3, 120), record_changes=True)
    x, target = np.abs(normal(4, 8, 6)) / 2, np.full((8, 3), 0.9)
    W = {name: circuit.weights(name)[0].clone().requires_grad_() for name in ("W0", "W1")}
    h, y = torch.zeros(8, 5, dtype=torch.float64), torch.zeros(8, 3, dtype=torch.float64)
    for _ in range(120):
        h = torch.clamp(h + 0.5 * (torch.as_tensor(x) @ W["W0"].T + y @ W["W1"] - h), 0, 1)
        y = torch.clamp(y + 0.5 * (h @ W["W1"].T - y), 0, 1)
    loss = ((y - torch.as_tensor(target)) ** 2).sum(1).mean() / 2
    loss.backward()
    np.testing.assert_allclose(circuit.predict(x)[0], y.detach(), rtol=1e-12)
    assert ((h > 0) & (h < 1)).all() and ((y > 0) & (y < 1)).all()
    table = cs.alignment(circuit, x, target)
    assert (table[table.quantity == "gradient_cosine"].value > 0.99).tolist() == [True, True]
    result = circuit.step(x, target)
    np.testing.assert_allclose(result.loss, [loss.item()], rtol=1e-12)
    for name, w in W.items():
        np.testing.assert_allclose(circuit.last_change(name)[0], -w.grad, rtol=0.02, atol=1e-4 * w.grad.abs().max())


# -- what runs over all iterations


def test_noise_differs_from_one_iteration_to_the_next():
    motif = cs.Motif("noisy")
    motif.add(cs.Population("x", 3), cs.Population("h", 3, activation="previous + drive"))
    motif.connect("x", "h", name="W", connectivity=cs.OneToOne(), init=cs.Identity())
    found = []
    for repeat in (1, 2):
        phased = cs.Motif.from_json(motif.to_json())
        phased.add(cs.Phase("p", repeat=repeat, noise={"h": 1.0}))
        circuit = compiled(phased)
        circuit.cycle(np.zeros((4, 3)))
        found.append(circuit.activity("h")[0].numpy())
    first, both = found
    assert np.abs(first).min() > 0 and np.abs(both - 2 * first).min() > 1e-3


def test_fit_and_files_take_a_motif_with_iterations(tmp_path):
    circuit = compiled(loop(cs.Phase("free", repeat=3, plastic=[]), cs.Phase("learn")), replicas=2)
    x, target = normal(5, 32, 4), normal(6, 32, 2)
    history = cs.fit(circuit, (x, target), epochs=3, batch_size=8, progress=False)
    losses = [history.final("loss", "train"), cs.evaluate(circuit, (x, target))["loss"]]
    assert np.isfinite(losses).all()
    circuit.save(tmp_path / "circuit")
    loaded = cs.load_circuit(tmp_path / "circuit", device="cpu")
    assert loaded.motif == circuit.motif and loaded.motif.projection("R").delay == 1
    for other in (circuit, loaded):
        other.step(x[:8], target[:8])
    assert_same_weights(circuit, loaded)


def test_a_program_says_which_iteration_it_shows():
    text = str(compiled(loop(cs.Phase("settle", repeat=2, plastic=[]), cs.Phase("learn"))).program)
    assert re.findall("^phase .*", text, re.M) == [
        "phase 'settle', iteration 1", "phase 'settle', iteration 2", "phase 'learn'"
    ]  # fmt: skip


def test_what_brian2_does_not_have_is_refused_with_the_reason():
    for motif, reason in (
        (loop(cs.Phase("p", repeat=2)), "phase 'p' repeats 2 times"),
        (loop(cs.Phase("p", apply="step")), "phase 'p' applies changes at the end of the step"),
        (loop(), "projection 'R' has a delay of 1 iterations"),
    ):
        with pytest.raises(cs.CircuitError, match=f"'loop' cannot be exported to Brian2: {reason}"):
            cs.export_brian2(compiled(motif), mode="rate")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m.add(cs.Phase("p", repeat=0)),
            "phase 'p': repeat must be a whole number, 1 or more, or 'time' .got 0.",
        ),
        (
            lambda m: m.add(cs.Phase("p", repeat=2.0)),
            "phase 'p': repeat must be a whole number, 1 or more, or 'time' .got 2.0.",
        ),
        (
            lambda m: m.add(cs.Phase("p", repeat=True)),
            "phase 'p': repeat must be a whole number, 1 or more, or 'time' .got True.",
        ),
        (lambda m: m.add(cs.Phase("p", apply="late")), "phase 'p': apply must be one of .* .got 'late'."),
        (
            lambda m: m.add(cs.Phase("a"), cs.Phase("b", apply="step")),
            "projection 'W' changes in phase 'a', and by phase 'b' at the end of the step; give both apply='step'",
        ),
        (lambda m: m.connect("x", "h", name="D", delay=-1), "projection 'D': delay must be a whole number .* .got -1."),
        (
            lambda m: m.connect("x", "h", name="D", delay=1, compartment="dendrite"),
            "projection 'D': only a projection onto the soma can have a delay",
        ),
        (
            lambda m: m.add(cs.Population("q", 2, state={"previous": "activity"})),
            "population 'q': state 'previous' has the name of a quantity of every neuron; rename it",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(change, message):
    motif = loop()
    change(motif)
    with pytest.raises(cs.MotifError, match=message):
        motif.validate()


def test_a_cycle_without_delay_says_how_to_have_it():
    with pytest.raises(cs.MotifError, match=r"a projection with delay=1 can close: h -\[R\]-> h"):
        loop(cs.Phase("p", repeat=3), delay=0).validate()


def delayed(soma: list[str]) -> cs.Circuit:
    motif = cs.Motif("late")
    motif.add(cs.Population("x", 1), cs.Population("h", 1, activation="previous + drive"), cs.Population("y", 1))
    motif.connect("x", "h", name="A", init=cs.Constant(1.0))
    motif.connect("x", "y", name="D", init=cs.Constant(0.0))
    motif.connect("h", "y", name="B", init=cs.Constant(1.0), delay=1, rule="I_B - sum_in(w * pre) + 10 * pre")
    motif.add(cs.Phase("run", repeat=3, soma=soma))
    return cs.compile(motif, device="cpu", dtype="float64")


@pytest.mark.parametrize("soma", [["A", "D", "B"], ["A", "D"]])
def test_a_current_with_a_delay_has_it_at_the_dendrite_too(soma):
    """h is 1, 2, 3, so that the current and `pre` of the last iteration are those of h = 2: B changes by 0 + 20."""
    circuit = delayed(soma)
    circuit.step(np.ones((1, 1)))
    assert float(circuit.weights("B")[0, 0, 0]) == 21.0


@pytest.mark.parametrize("rule", [None, "0 * w"])
def test_a_state_changes_in_a_phase_whose_soma_lacks_its_projection(rule):
    motif = cs.Motif("state")
    motif.add(cs.Population("x", 1), cs.Population("y", 1), cs.Population("z", 1))
    motif.connect("x", "y", name="W", rule=rule, state={"e": "e + 1"})
    motif.connect("x", "z", name="U")
    motif.add(cs.Phase("a", soma=["U"], plastic=["W"]), cs.Phase("b"), cs.Phase("c", soma=["U"], plastic=[]))
    circuit = cs.compile(motif, device="cpu")
    circuit.step(np.ones((1, 1)))
    assert circuit.state("W", "e").item() == 2.0
