"""The gradient of a circuit with two objectives, absent synapses and dendrites, against torch.autograd by hand."""

import numpy as np
import torch

import circuitsim as cs

PRESENT = np.array([[1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1]])


def test_it_is_that_of_the_sum_of_all_losses_at_present_synapses():
    motif = cs.Motif("two outputs")
    motif.add(cs.Population("x", 4), cs.Population("h", 3, activation="tanh"))
    motif.connect("x", "h", name="W", connectivity=cs.Mask(PRESENT))
    for name, loss in (("class", "cross_entropy"), ("value", "mse")):
        motif.add(cs.Population(f"{name}_out", 2), cs.Population(f"{name}_error", 2, stream="descending"))
        motif.add(cs.Objective(f"{name}_out", f"{name}_error", loss))
        motif.connect("h", f"{name}_out", name=name)
        motif.connect(f"{name}_error", "h", name=f"V_{name}", compartment="dendrite")
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    x, classes, values = rng.standard_normal((7, 4)), rng.integers(0, 2, 7), rng.standard_normal((7, 2))
    found = cs.loss_gradients(circuit, x, {"class_out": classes, "value_out": values})
    assert set(found) == {"W", "class", "value"}
    for r in range(2):
        W, of_class, of_value = (circuit.weights(name)[r].requires_grad_() for name in ("W", "class", "value"))
        h = torch.tanh(torch.from_numpy(x) @ W.T)
        loss = torch.nn.functional.cross_entropy(h @ of_class.T, torch.from_numpy(classes))
        loss = loss + ((h @ of_value.T - torch.from_numpy(values)) ** 2).sum(1).mean() / 2
        loss.backward()
        expected = {"W": W.grad * torch.from_numpy(PRESENT), "class": of_class.grad, "value": of_value.grad}
        for name, gradient in expected.items():
            assert gradient.abs().max() > 0
            torch.testing.assert_close(found[name][r], gradient, rtol=1e-10, atol=1e-14)


def test_the_gradient_of_a_weight_includes_the_weights_that_are_tied_to_it():
    motif = cs.Motif("symmetric")
    motif.add(cs.Population("x", 4), cs.Population("h", 3, activation="tanh"), cs.Population("y", 2))
    motif.add(cs.Population("e", 2, "descending"), cs.Objective("y", "e", "mse"))
    motif.connect("x", "h", name="W")
    motif.connect("h", "y", name="U")
    motif.connect("y", "h", name="B", tied_to=cs.Derived("U", transpose=True, scale=0.5), delay=1)
    motif.add(cs.Phase("settle", repeat=3))
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    rng = np.random.default_rng(1)
    x, target = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))
    found = cs.loss_gradients(circuit, x, target)
    W, U = (circuit.weights(name)[0].requires_grad_() for name in ("W", "U"))
    y = torch.zeros(7, 2, dtype=torch.float64)
    for _ in range(3):
        y = torch.tanh(torch.from_numpy(x) @ W.T + y @ (0.5 * U)) @ U.T
    (((y - torch.from_numpy(target)) ** 2).sum(1).mean() / 2).backward()
    torch.testing.assert_close(found["W"][0], W.grad, rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(found["U"][0], U.grad, rtol=1e-10, atol=1e-14)


def test_dendritic_projections_that_a_phase_lists_in_its_soma_have_a_gradient_and_sources_of_ties_too():
    motif = cs.Motif("dendrites")
    motif.add(cs.Population("x", 4), cs.Population("h", 3, activation="tanh"), cs.Population("y", 2))
    motif.add(cs.Population("e", 2, "descending"), cs.Objective("y", "e", "mse"))
    motif.connect("x", "h", name="W", compartment="dendrite", rule="0.1 * pre * post")
    motif.connect("x", "h", name="D", compartment="dendrite", rule="0.1 * pre * post")
    motif.connect("x", "h", name="S", tied_to=cs.Derived("D", scale=-2.0))
    motif.connect("h", "y", name="U")
    motif.connect("y", "h", name="B", compartment="dendrite")
    motif.add(cs.Phase("run", soma=["W", "S", "U"]))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))
    found = cs.loss_gradients(circuit, x, target)
    assert set(found) == {"W", "D", "S", "U"}
    for r in range(2):
        W, D, U = (circuit.weights(name)[r].requires_grad_() for name in ("W", "D", "U"))
        y = torch.tanh(torch.from_numpy(x) @ (W - 2.0 * D).T) @ U.T
        (((y - torch.from_numpy(target)) ** 2).sum(1).mean() / 2).backward()
        for name, weight in (("W", W), ("D", D), ("U", U)):
            assert torch.isfinite(weight.grad).all() and weight.grad.abs().max() > 0
            torch.testing.assert_close(found[name][r], weight.grad, rtol=1e-10, atol=1e-14)
    table = cs.alignment(circuit, x, target, "gradient_cosine")
    assert sorted(set(table.site)) == ["D", "W"] and np.isfinite(table.value).all()


def test_an_output_that_depends_on_no_weight_has_no_gradient():
    motif = cs.Motif("input is output")
    motif.add(cs.Population("y", 3), cs.Population("h", 2), cs.Population("e", 3, "descending"))
    motif.add(cs.Objective("y", "e"))
    motif.connect("y", "h", name="W")
    circuit = cs.compile(motif, device="cpu")
    x, target = np.ones((4, 3)), np.zeros(4, int)
    assert cs.loss_gradients(circuit, x, target) == {}
    assert set(cs.alignment(circuit, x, target).quantity) == {"norm"}
