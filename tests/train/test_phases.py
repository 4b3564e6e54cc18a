"""Where objectives are judged in one phase of several, `fit` and `evaluate` give the numbers of that phase."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import weight_mirror
from tests.motif.circuits import loop_over_phases

Weights = dict[str, np.ndarray]
N_CLASSES = 2


def motif_of(*phases: cs.Phase) -> cs.Motif:
    """x drives h, h drives y (classes) and z (vectors); errors come back to h by a loop."""
    motif = cs.Motif("phases")
    motif.add(
        cs.Population("x", 3),
        cs.Population("h", 4, activation="tanh"),
        cs.Population("y", N_CLASSES),
        cs.Population("e", N_CLASSES, stream="descending"),
    )
    motif.connect("x", "h", name="W", rule=cs.Rule("eta * post * pre", eta=0.1))
    motif.connect("h", "y", name="U", rule=cs.Rule("eta * I_E * pre", eta=0.2))
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.connect("e", "h", name="F")
    motif.add(cs.Objective("y", "e"), *phases)
    return motif


FORWARD, BACK = ["W", "U"], ["F"]


def one_layer(w: Weights, x: np.ndarray) -> np.ndarray:
    return np.tanh(x @ w["W"].T) @ w["U"].T


def after_a_silent_phase() -> cs.Motif:
    """The first phase changes W, and nothing is judged in it."""
    return motif_of(
        cs.Phase("prepare", soma=["W"], plastic=["W"], errors=False), cs.Phase("judge", soma=FORWARD, plastic=["U"])
    )


def with_feedback_afterwards() -> cs.Motif:
    """A later phase, with errors too, drives h by the error of the y that it keeps."""
    return motif_of(
        cs.Phase("judge", soma=FORWARD, plastic=["U"]), cs.Phase("settle", soma=BACK, inputs=[], plastic=["W"])
    )


def driven_before_errors() -> cs.Motif:
    """The output is driven in the first phase, errors are in the second, which keeps it."""
    return motif_of(
        cs.Phase("see", soma=FORWARD, plastic=[], errors=False), cs.Phase("judge", soma=BACK, inputs=[], plastic=["U"])
    )


MOTIFS: dict[str, Callable[[], cs.Motif]] = {
    "later": after_a_silent_phase,
    "earlier": with_feedback_afterwards,
    "kept": driven_before_errors,
}


def data() -> cs.Dataset:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 3)), rng.integers(0, N_CLASSES, 60)
    return cs.Dataset.from_arrays(x[:40], y[:40], validation=(x[40:], y[40:]), dtype=torch.float64)


def weights_of(circuit: cs.Circuit) -> Weights:
    return {p.name: circuit.weights(p.name)[0].numpy() for p in circuit.motif.projections}


def figures(y: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Cross entropy and accuracy."""
    y = y - y.max(1, keepdims=True)
    log_p = y - np.log(np.exp(y).sum(1, keepdims=True))
    return -log_p[np.arange(len(y)), target].mean(), (y.argmax(1) == target).mean()


@pytest.mark.parametrize("name", MOTIFS)
def test_loss_and_accuracy_are_those_of_the_judging_phase(name):
    circuit, twin = (cs.compile(MOTIFS[name](), dtype="float64", device="cpu") for _ in range(2))
    split, seen = data(), []
    history = cs.fit(circuit, split, epochs=2, batch_size=10, data_seed=1, progress=False)
    for epoch in range(2):
        for x, target in cs.minibatches(split.train, 10, seed=1, epoch=epoch):
            w, x = weights_of(twin), x.numpy()
            if name == "later":  # its judging phase sees what the phase before left
                w["W"] = w["W"] + 0.1 * np.tanh(x @ w["W"].T).T @ x / len(x)
            seen.append(figures(one_layer(w, x), target.numpy()))
            assert np.isclose(twin.step(x, target).loss.item(), seen[-1][0], rtol=1e-12, atol=0)
    for k, metric in enumerate(("loss", "accuracy")):
        online = history.curve(metric, "online")[0]
        np.testing.assert_allclose(online, np.array(seen)[:, k].reshape(2, 4).mean(1), rtol=1e-6)
        last = figures(one_layer(weights_of(circuit), split.splits["validation"].x.numpy()), _classes(split))[k]
        np.testing.assert_allclose(history.final(metric, "validation"), last, rtol=1e-12)
        np.testing.assert_allclose(cs.evaluate(circuit, split, "validation")[metric], last, rtol=1e-12)
    for p in circuit.motif.projections:
        np.testing.assert_allclose(circuit.weights(p.name), twin.weights(p.name), rtol=1e-12)


def _classes(split: cs.Dataset) -> np.ndarray:
    return split.splits["validation"].target.numpy()


def two_objectives() -> cs.Motif:
    """Classes are judged in the first phase, vectors in the second, in which alone z is driven."""
    motif = motif_of(
        cs.Phase("first", soma=["W", "U"], plastic=["U"]), cs.Phase("second", soma=["W", "Z"], plastic=["Z"])
    )
    motif.add(cs.Population("z", 3), cs.Population("ez", 3, stream="descending"), cs.Objective("z", "ez", loss="mse"))
    motif.connect("h", "z", name="Z", rule=cs.Rule("eta * I_EZ * pre", eta=0.1))
    motif.connect("ez", "z", name="EZ", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    return motif


def test_each_of_several_objectives_has_figures_of_its_own():
    rng = np.random.default_rng(0)
    x, y, z = rng.standard_normal((30, 3)), rng.integers(0, N_CLASSES, 30), rng.standard_normal((30, 3))
    circuit = cs.compile(two_objectives(), dtype="float64", device="cpu")
    batches = [(x[k : k + 10], {"y": y[k : k + 10], "z": z[k : k + 10]}) for k in (0, 10, 20)]
    losses, accuracies, twin = [], [], cs.compile(two_objectives(), dtype="float64", device="cpu")
    for part, target in batches:
        w = weights_of(twin)
        loss, accuracy = figures(one_layer(w, part), target["y"])
        error = np.tanh(part @ w["W"].T) @ w["Z"].T - target["z"]
        losses.append(loss + (error**2).sum(1).mean() / 2)
        accuracies.append(accuracy)
        twin.step(part, target)
    history = cs.fit(circuit, batches, progress=False)
    np.testing.assert_allclose(history.final("loss", "online"), np.mean(losses), rtol=1e-12)
    np.testing.assert_allclose(history.final("accuracy[y]", "online"), np.mean(accuracies), rtol=1e-6)
    w, found = weights_of(circuit), cs.evaluate(circuit, batches)
    loss, accuracy = figures(one_layer(w, x), y)
    np.testing.assert_allclose(found["loss[y]"], loss, rtol=1e-12)
    np.testing.assert_allclose(found["accuracy[y]"], accuracy, rtol=1e-12)
    error = np.tanh(x @ w["W"].T) @ w["Z"].T - z
    np.testing.assert_allclose(found["loss[z]"], (error**2).sum(1).mean() / 2, rtol=1e-12)


def test_a_loop_that_is_closed_over_phases_is_fitted_and_evaluated():
    circuit = cs.compile(loop_over_phases(), replicas=2, dtype="float64", device="cpu")
    split = data()
    history = cs.fit(circuit, split, epochs=3, batch_size=10, progress=False)
    assert set(history.to_pandas().metric) == {"loss", "accuracy"}
    assert len(history.curve("accuracy", "online")) == len(history.curve("accuracy", "validation")) == 3
    x = split.splits["validation"].x.numpy()
    for r in range(2):
        w, u = circuit.weights("W")[r].numpy(), circuit.weights("U")[r].numpy()
        loss, accuracy = figures(np.maximum(x @ w.T, 0.0) @ u.T, _classes(split))
        found = cs.evaluate(circuit, split, "validation")
        assert 0 < loss < np.inf
        assert found["loss"][r] == pytest.approx(loss, rel=1e-12) and found["accuracy"][r] == accuracy
        np.testing.assert_allclose(history.final("loss", "validation")[r], loss, rtol=1e-12)


def test_the_accuracy_while_learning_is_not_that_of_a_phase_of_noise():
    circuit, twin = (cs.compile(weight_mirror([3, 4, 2]), dtype="float64", device="cpu") for _ in range(2))
    split = data()
    history = cs.fit(circuit, split, batch_size=10, progress=False)
    right = []
    for x, target in cs.minibatches(split.train, 10, seed=0, epoch=0):
        right.append((twin.predict(x)[0].argmax(-1) == target).double().mean().item())
        twin.step(x, target)
    np.testing.assert_allclose(history.final("accuracy", "online"), np.mean(right), rtol=1e-6)


def test_a_single_target_by_name_has_its_accuracy_too():
    circuit = cs.compile(after_a_silent_phase(), dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((10, 3)), {"y": rng.integers(0, N_CLASSES, 10)})]
    assert "accuracy" in set(cs.fit(circuit, batches, progress=False).to_pandas().metric)
