"""Neurons whose outgoing weights have one sign. The oracle: NumPy, and the same circuit with bounds written out."""

import numpy as np
import pytest
import torch

import circuitsim as cs


def loop(**signs) -> cs.Motif:
    """An E-I-E loop with Dale's law."""
    motif = cs.Motif("E-I-E loop")
    motif.add(cs.Population("x", 3), cs.Phase("settle", repeat=5))
    motif.add(cs.Population("E", 4, activation="relu", sign=signs.get("E", "excitatory")))
    motif.add(cs.Population("I", 2, activation="relu", sign=signs.get("I", "inhibitory")))
    motif.connect("x", "E", name="W", rule="0.1 * post * pre")
    motif.connect("E", "I", name="EI", rule="0.3 * (0.2 - post) * pre", init=cs.Uniform(0, 1), bounds=(None, 0.8))
    motif.connect("I", "E", name="IE", rule="0.3 * (0.5 - post) * pre", delay=1)
    motif.connect("I", "x", name="D", compartment="dendrite", init=cs.Uniform(0, 2))
    return motif


def test_weights_are_magnitudes_with_the_sign_of_their_neuron_and_keep_it(tmp_path):
    circuit = cs.compile(loop(), replicas=2, seed=3, device="cpu", dtype="float64")
    free = cs.compile(loop(E=None, I=None), replicas=2, seed=3, device="cpu", dtype="float64")
    assert torch.equal(circuit.weights("IE"), -free.weights("IE").abs())
    assert torch.equal(circuit.weights("EI"), free.weights("EI").clamp(max=0.8))
    assert torch.equal(circuit.weights("W"), free.weights("W"))
    assert -2 <= circuit.weights("D").min() < circuit.weights("D").max() <= 0
    rng, crossed = np.random.default_rng(0), 0
    bounded = loop(E=None, I=None).replace("EI", bounds=(0, 0.8)).replace("IE", bounds=(None, 0))
    twin = cs.compile(bounded, replicas=2, device="cpu", dtype="float64")
    for name in ("W", "EI", "IE"):
        twin.set_weights(name, circuit.weights(name))
    for _ in range(30):
        x = rng.standard_normal((4, 3))
        circuit.step(x), twin.step(x)
        for name in ("W", "EI", "IE"):
            torch.testing.assert_close(circuit.weights(name), twin.weights(name), rtol=0, atol=1e-12)
        crossed += int((circuit.weights("EI") == 0).sum() + (circuit.weights("IE") == 0).sum())
    assert crossed > 0
    circuit.save(tmp_path / "c.safetensors")
    loaded = cs.load_circuit(tmp_path / "c.safetensors")
    assert torch.equal(loaded.weights("IE"), circuit.weights("IE"))
    with pytest.raises(cs.ParameterError, match=r"projection 'IE': weights lie outside the bounds \(None, 0.0\)"):
        loaded.set_weights("IE", np.ones((4, 2)))


def test_new_synapses_have_the_sign_too():
    circuit = cs.compile(loop(), device="cpu")
    circuit.prune("IE", quantile=1.0)
    assert circuit.grow("IE", n=5).item() == 5
    assert (circuit.weights("IE")[circuit.mask("IE")] < 0).all()
    with pytest.raises(cs.ParameterError, match="'I' is inhibitory, but its weights are of both signs: Uniform"):
        circuit.grow("IE", n=1, init=cs.Uniform(-1, 1))
    with pytest.raises(cs.ParameterError, match=r"Constant lies outside the bounds \(None, 0.0\) \(got 1\)"):
        circuit.grow("IE", n=1, init=1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "EI", "bounds": (-1, 0), "init": cs.Constant(0.0)},
            "population 'E' is excitatory, but its bounds are (-1, 0)",
        ),
        ({"name": "IE", "bounds": (0.5, None)}, "population 'I' is inhibitory, but its bounds are (0.5, None)"),
        ({"name": "EI", "init": cs.Gaussian(sign="negative")}, "but its weights are Gaussian(..., sign='negative')"),
        ({"name": "EI", "init": cs.Uniform(-1, 1)}, "but its weights are of both signs: Uniform(-1, 1)"),
        ({"name": "IE", "init": cs.Constant(0.5)}, "Constant lies outside the bounds (None, 0.0) (got 0.5)"),
        ({"name": "EI", "init": cs.Given(-np.ones((2, 4)))}, "Given lies outside the bounds (0.0, 0.8): 8 of 8"),
        ({"name": "E", "sign": "positive"}, "population 'E': sign must be one of ('excitatory', 'inhibitory') or None"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_by_name(changes, message):
    with pytest.raises(cs.MotifError) as caught:
        loop().replace(**changes).validate()
    assert any(message in fault for fault in caught.value.faults)


@pytest.mark.parametrize(("source", "scale", "is_sound"), [
    ("EI", 1.0, False), ("EI", -1.0, True), ("IE", 2.0, True), ("W", 1.0, False), ("W", 0.0, True),
])  # fmt: skip
def test_tied_weights_must_have_the_sign_by_the_bounds_of_their_source(source, scale, is_sound):
    motif = loop()
    shape = {"EI": ("I", "E"), "IE": ("E", "I"), "W": ("E", "x")}[source]
    motif.add(cs.Population("in", {"E": 4, "I": 2, "x": 3}[shape[1]], sign="inhibitory"))
    motif.add(cs.Population("out", {"E": 4, "I": 2}[shape[0]]))
    motif.connect("in", "out", name="T", tied_to=cs.Derived(source, scale=scale))
    if is_sound:
        assert (cs.compile(motif, device="cpu").weights("T") <= 0).all()
        return
    with pytest.raises(cs.MotifError, match=f"'in' is inhibitory, but its weights are tied to '{source}'"):
        motif.validate()


def test_signs_are_told_in_tables_figures_and_json():
    motif = loop()
    table = motif.methods_table()
    assert "ascending, inhibitory" in table and "kept in [0, 0.8]" in table and "half-normal, negative" in table
    assert "uniform in [-2, 0)" in table
    assert cs.Motif.from_json(motif.to_json()) == motif
    assert {"E (+)", "I (−)"} <= {text.get_text().split("\n")[0] for text in motif.draw().axes[0].texts}
