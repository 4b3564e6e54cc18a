"""Populations that a target drives: closed forms, phases, predictions that need no label, and what is refused."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from tests.motif.circuits import fault

T = np.array([0, 2, 1, 2, 0, 1, 1])


def inputs(seed: int = 0, n: int = len(T)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4))


def clamped(loss: str = "cross_entropy", *phases: cs.Phase, **label) -> cs.Motif:
    """The output is free in one phase, and its label takes its place in the next: the change is the delta rule."""
    motif = cs.Motif("clamped")
    motif.add(cs.Population("x", 4), cs.Population("y", 3), cs.Population("e", 3, "descending"))
    motif.add(cs.Objective("y", "e", loss), cs.Population("label", 3, **{"source": "target", **label}))
    motif.connect("x", "y", name="W", rule="eta * (in_clamped - in_free) * post * pre", parameters={"eta": 0.2})
    motif.connect("label", "y", name="L", connectivity=cs.OneToOne(), init=cs.Identity())
    free = cs.Phase("free", soma=["W"], inputs=["x"], apply="step")
    motif.add(*(phases or (free, cs.Phase("clamped", soma=["L"], apply="step"))))
    return motif


def compiled(motif: cs.Motif, **options) -> cs.Circuit:
    return cs.compile(motif, dtype="float64", device="cpu", **options)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "bce"])
@pytest.mark.parametrize("each", [False, True], ids=["shared targets", "targets of each replica"])
def test_a_clamped_output_learns_by_the_delta_rule(loss, each):
    circuit = compiled(clamped(loss), replicas=2)
    w = circuit.weights("W").numpy().copy()
    for k in range(5):
        x, classes = inputs(k), np.stack([np.roll(T, k), np.roll(T, k + 1)])[: 1 + each]
        vectors = np.eye(3)[classes]
        if loss == "mse":
            vectors = vectors * np.random.default_rng(k).normal(size=vectors.shape)
        target = classes if loss == "cross_entropy" else vectors
        circuit.step(x, target if each else target[0])
        y = x @ w.swapaxes(1, 2)
        np.testing.assert_allclose(circuit.judged("y").numpy(), y, rtol=1e-11)
        np.testing.assert_allclose(circuit.activity("label").numpy(), np.broadcast_to(vectors, y.shape), rtol=1e-15)
        w = w + 0.2 * (vectors - y).swapaxes(1, 2) @ x / len(x)
        np.testing.assert_allclose(circuit.weights("W").numpy(), w, rtol=1e-11)
    np.testing.assert_allclose(circuit.predict(x).numpy(), x @ w.swapaxes(1, 2), rtol=1e-11)


def test_fit_and_evaluate_judge_the_output_without_its_label():
    x = inputs(n=60)
    classes = (x @ np.random.default_rng(1).normal(size=(4, 3))).argmax(1)
    circuit = compiled(clamped(), replicas=2)
    cs.fit(circuit, (x, classes), epochs=30, batch_size=20, progress=False)
    w = circuit.weights("W").numpy()
    accuracy = ((x @ w.swapaxes(1, 2)).argmax(2) == classes).mean(1)
    np.testing.assert_array_equal(cs.evaluate(circuit, (x, classes))["accuracy"], accuracy)
    assert (accuracy > 0.8).all()
    gradients = cs.loss_gradients(circuit, torch.tensor(x), classes)  # of the free phase
    errors = np.exp(x @ w.swapaxes(1, 2))
    errors = errors / errors.sum(2, keepdims=True) - np.eye(3)[classes]
    np.testing.assert_allclose(gradients["W"].numpy(), errors.swapaxes(1, 2) @ x / len(x), rtol=1e-10)


def test_a_label_is_0_until_a_phase_lets_it_in_and_is_kept_after_that():
    free, on = cs.Phase("free", soma=["W"], inputs=["x"]), cs.Phase("clamped", soma=["L"], inputs=["label"])
    off, again = cs.Phase("clamped", soma=["L"], inputs=[]), cs.Phase("again", soma=["L"], inputs=[])
    for phases, label in (
        ((free, off), np.zeros((len(T), 3))),
        ((free, on), np.eye(3)[T]),
        ((free, on, again), np.eye(3)[T]),
    ):
        circuit = compiled(clamped("cross_entropy", *phases))
        circuit.step(inputs(), T)
        for name in ("label", "y"):  # which it drives in the last phase
            np.testing.assert_array_equal(circuit.activity(name)[0].numpy(), label)


def two_outputs(**label) -> cs.Motif:
    motif = cs.Motif("two outputs")
    motif.add(cs.Population("x", 4), cs.Population("label", 2, "descending", activation="softmax(drive)", **label))
    for output, size, loss in (("y", 3, "cross_entropy"), ("z", 2, "mse")):
        motif.add(cs.Population(output, size), cs.Population(f"e_{output}", size, "descending"))
        motif.add(cs.Objective(output, f"e_{output}", loss))
        motif.connect("x", output, name=f"W_{output}")
    motif.connect("label", "x", name="V", compartment="dendrite", rule="eta * post * pre", parameters={"eta": 0.1})
    return motif


def test_the_source_says_which_target_of_several():
    circuit = compiled(two_outputs(source="target:z"))
    z = np.random.default_rng(0).normal(size=(len(T), 2))
    w = circuit.weights("V")[0].numpy().copy()
    circuit.step(inputs(), {"y": T, "z": z})
    softmax = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(circuit.drive("label")[0].numpy(), z, rtol=1e-15)
    np.testing.assert_allclose(circuit.activity("label")[0].numpy(), softmax, rtol=1e-14)
    np.testing.assert_allclose(circuit.weights("V")[0].numpy(), w + 0.1 * inputs().T @ softmax / len(T), rtol=1e-12)


def test_what_a_step_was_given_may_be_overwritten_after_it():
    circuit = compiled(clamped("mse"))
    x, target = torch.tensor(inputs()), torch.eye(3, dtype=torch.float64)[T]
    circuit.step(x, target, keep="all")
    assert circuit.current("L").equal(target.unsqueeze(0))
    drive = circuit.current("L").clone()
    target.zero_()
    assert circuit.current("L").equal(drive)


@pytest.mark.parametrize(
    ("motif", "message"),
    [
        (clamped(source="label"), "source must be 'target', 'target:<output>' or None (got 'label')"),
        (clamped(source="target:"), "source must be 'target', 'target:<output>' or None (got 'target:')"),
        (clamped(source=3), "source must be 'target', 'target:<output>' or None (got 3)"),
        (two_outputs(source="target"), "does not say which output's target it is; write one of 'target:y', 'target:z'"),
        (two_outputs(source="target:x"), "source='target:x' does not say which output's target it is; write one of"),
        (two_outputs(source="target:y"), "source='target:y': its size 2 must be 3, that of the output 'y'"),
    ],
)
def test_a_source_that_names_no_target_of_this_size(motif, message):
    assert fault(motif).startswith("population 'label'") and message in fault(motif)


def test_the_target_alone_drives_a_label():
    motif = two_outputs(source="target:z")
    motif.connect("x", "label", name="U")
    assert fault(motif).startswith("population 'label': source='target:z': the target alone drives it; remove")


def test_a_label_needs_an_objective():
    motif = cs.Motif("unlabelled")
    motif.add(cs.Population("x", 4), cs.Population("label", 3, source="target"))
    assert fault(motif).startswith("population 'label': source='target', but the motif has no target; add an Objective")


def test_a_phase_must_let_in_more_than_the_label():
    motif = clamped("cross_entropy", cs.Phase("free", inputs=["label"]), cs.Phase("clamped", inputs=[]))
    assert fault(motif) == "motif 'clamped': no phase receives an input (x); list one in a phase's inputs"


def test_an_output_that_hears_its_label_has_no_prediction_and_is_refused_before_any_step():
    motif = clamped("cross_entropy", cs.Phase("free"), cs.Phase("clamped"))
    circuit = compiled(motif)
    path = (
        r"population 'y' depends on the target, which a prediction does not have "
        r"\(target of 'y' -> label -\[L\]-> y\): use circuit.cycle\(x, target\), then circuit.activity\('y'\); "
        r"to judge an output, put a phase without this path first"
    )
    for use in (
        lambda: circuit.predict(inputs()),
        lambda: cs.evaluate(circuit, (inputs(), T)),
        lambda: cs.fit(circuit, (inputs(), T), batch_size=2, progress=False),
        lambda: cs.loss_gradients(circuit, inputs(), T),
    ):
        with pytest.raises(cs.ParameterError, match=path):
            use()
    assert circuit.n_steps == 0


def test_a_label_is_written_read_and_shown(tmp_path):
    motif = clamped()
    assert cs.Motif.from_json(motif.to_json()) == motif == cs.Motif.from_networkx(motif.graph)
    cs.write_motif(motif, tmp_path / "motif.graphml")
    assert cs.read_motif(tmp_path / "motif.graphml") == motif
    circuit = compiled(motif)
    circuit.step(inputs(), T)
    circuit.save(tmp_path / "circuit.safetensors")
    loaded = cs.load_circuit(tmp_path / "circuit.safetensors")
    for each in (circuit, loaded):
        each.step(inputs(1), T)
    assert torch.equal(circuit.weights("W"), loaded.weights("W"))
    assert "| label | driven by the target of y |" in motif.methods_table()
    assert "label.activity = label.drive = one_hot(y.target)" in str(circuit.program)


def test_brian2_is_given_the_target_too():
    pytest.importorskip("brian2")
    for loss, target in (("cross_entropy", T), ("mse", inputs(3)[:, :3])):
        motif = cs.Motif("told")
        motif.add(cs.Population("x", 4), cs.Population("y", 3), cs.Population("e", 3, "descending"))
        motif.add(
            cs.Objective("y", "e", loss), cs.Population("label", 3, source="target", activation="tanh(2 * drive)")
        )
        motif.connect("x", "y", name="W", rule="eta * I_V * pre", parameters={"eta": 0.2})
        motif.connect("label", "y", name="V", compartment="dendrite", rule="eta * post * pre", parameters={"eta": 0.1})
        circuit = compiled(motif)
        net = cs.export_brian2(circuit, target="numpy")
        for k in range(2):
            loss_of = circuit.step(inputs(k), target).loss
            np.testing.assert_allclose(net.step(inputs(k), target), loss_of.item(), rtol=1e-12)
        for name in ("W", "V"):
            np.testing.assert_allclose(net.weights(name), circuit.weights(name)[0].numpy(), rtol=1e-12)
        with pytest.raises(cs.CircuitError, match="population 'label': the target drives it, which a trial plays to"):
            cs.export_brian2(circuit, mode="spiking", target="numpy")
