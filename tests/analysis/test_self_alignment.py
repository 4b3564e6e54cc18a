"""Alignment against NumPy and autograd."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.analysis.self_alignment import Square, squares
from motifs import backprop, direct_kolen_pollack, feedback_alignment, paper_sal

LAYERS = [7, 6, 5, 4]


def batch(n: int = 30):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 7)), rng.integers(0, 4, n)


def value(table, quantity: str, site: str, replica: int = 0) -> float:
    rows = table[(table.quantity == quantity) & (table.site == site) & (table.replica == replica)]
    assert len(rows) == 1
    return float(rows.value.iloc[0])


def cosine(a, b) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module")
def trained() -> cs.Circuit:
    circuit = cs.compile(paper_sal(LAYERS, [9, 6], gain_V=0.5), replicas=2, seed=3, dtype="float64", device="cpu")
    for _ in range(20):
        circuit.step(*batch())
    return circuit


def test_pathway_cosines_residuals_eigenvalues_and_norms_are_numpys(trained):
    table = cs.alignment(trained, *batch())
    for r in range(2):
        w = {p.name: trained.weights(p.name)[r].numpy() for p in trained.motif.projections}
        for layer in (1, 2):
            assert np.isclose(
                value(table, "mirror_cosine", f"V{layer}", r), cosine(w[f"V{layer}"], w[f"Vt{layer}"].T), rtol=1e-12
            )
            up, down = w[f"W{layer}"] @ w[f"Vt{layer}"].T, w[f"V{layer + 1}"] @ w[f"Wt{layer}"].T
            assert np.isclose(value(table, "stationarity_cosine", f"W{layer}", r), cosine(up, down), rtol=1e-12)
            gamma = {n: trained.motif.projection(n).rule.parameters["gamma"] for n in (f"W{layer}", f"Wt{layer}")}
            up, down = up * gamma[f"W{layer}"], down * gamma[f"Wt{layer}"]
            residual = np.linalg.norm(up - down) / np.sqrt(np.linalg.norm(up) * np.linalg.norm(down))
            assert np.isclose(value(table, "stationarity_residual", f"W{layer}", r), residual, rtol=1e-10)
            found = table[(table.quantity == "eigenvalue") & (table.site == f"V{layer}") & (table.replica == r)].value
            np.testing.assert_allclose(found, np.linalg.eigvalsh(w[f"V{layer}"] @ w[f"V{layer}"].T), atol=1e-12)
            assert found.is_monotonic_increasing and (found > -1e-10).all()
        assert np.isclose(value(table, "norm", "Wt1", r), np.linalg.norm(w["Wt1"]), rtol=1e-12)


def test_the_gradient_is_that_of_a_plain_torch_network(trained):
    x, target = batch()
    gradients = cs.loss_gradients(trained, x, target)
    assert set(gradients) == {"W0", "W1", "W2"}
    for r in range(2):
        leaves = [trained.weights(f"W{k}")[r].requires_grad_() for k in range(3)]
        h = torch.tensor(x)
        for k, w in enumerate(leaves):
            h = h @ w.T if k == 2 else torch.relu(h @ w.T)
        torch.nn.functional.cross_entropy(h, torch.tensor(target)).backward()
        for k, w in enumerate(leaves):
            assert torch.isfinite(w.grad).all() and w.grad.abs().max() > 0
            torch.testing.assert_close(gradients[f"W{k}"][r], w.grad, rtol=1e-10, atol=1e-14)


def test_the_gradient_cosine_leaves_decay_out_and_changes_no_weight(trained):
    x, target = batch()
    before = {p.name: trained.weights(p.name) for p in trained.motif.projections}
    table = cs.alignment(trained, x, target)
    assert all(torch.equal(before[name], trained.weights(name)) for name in before)
    gradients = cs.loss_gradients(trained, x, target)
    trained.cycle(x, target)
    for r in range(2):
        h = trained.activity("up1")[r].numpy()
        drive = trained.current("V2")[r].numpy() * (trained.drive("up2")[r].numpy() > 0)
        expected = cosine(drive.T @ h, -gradients["W1"][r].numpy())  # a trace's scale does not turn it
        assert np.isclose(value(table, "gradient_cosine", "W1", r), expected, rtol=1e-10)


def test_signals_of_the_batch_scale_the_change_of_each_sample():
    motif = cs.Motif("rewarded")
    motif.add(cs.Population("x", 4), cs.Population("y", 3), cs.Population("e", 3, "descending"), cs.Signal("r"))
    motif.add(cs.Objective("y", "e", "mse"))
    motif.connect("x", "y", name="W", rule="0.1 * r * I_E * pre")
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    rng = np.random.default_rng(3)
    x, target, r = rng.standard_normal((7, 4)), rng.standard_normal((7, 3)), rng.random(7)
    table = cs.alignment(circuit, x, target, "gradient_cosine", signals={"r": r})
    error = target - x @ circuit.weights("W")[0].numpy().T
    assert np.isclose(table.value.item(), cosine((r[:, None] * error).T @ x, error.T @ x), rtol=1e-10)
    assert table.value.item() < 0.99


def test_backprop_is_perfectly_aligned_and_random_feedback_is_not():
    exact = cs.alignment(cs.compile(backprop(LAYERS), dtype="float64", device="cpu"), *batch())
    for site in ("W0", "W1", "W2"):
        assert abs(value(exact, "gradient_cosine", site) - 1) < 1e-12
    for layer in (1, 2):
        assert value(exact, "mirror_cosine", f"V{layer}") == pytest.approx(1, abs=1e-12)
        assert value(exact, "stationarity_cosine", f"W{layer}") == pytest.approx(1, abs=1e-12)
    random = cs.alignment(cs.compile(feedback_alignment(LAYERS), dtype="float64", device="cpu"), *batch())
    assert abs(value(random, "gradient_cosine", "W0")) < 0.9


def test_what_is_undefined_is_nan_with_a_reason():
    circuit = cs.compile(paper_sal(LAYERS), dtype="float64", device="cpu")
    circuit.set_weights("V1", np.zeros((6, 6)))
    table = cs.alignment(circuit, *batch())
    row = table[(table.quantity == "mirror_cosine") & (table.site == "V1")].iloc[0]
    assert np.isnan(row.value) and row.reason == "V1 is zero"
    row = table[(table.quantity == "gradient_cosine") & (table.site == "W0")].iloc[0]
    assert np.isnan(row.value) and row.reason == "the data term of W0 is zero"
    defined = table[(table.quantity == "mirror_cosine") & (table.site == "V2")].iloc[0]
    assert np.isfinite(defined.value) and defined.reason == ""


def test_the_mirror_looks_only_at_synapses_that_both_have():
    motif = paper_sal(LAYERS).replace("V1", connectivity=cs.Random(0.5), init=cs.Constant(1.0))
    motif = motif.replace("Vt1", init=cs.Constant(2.0))  # dense: has all that V1 has, and more
    table = cs.alignment(cs.compile(motif, dtype="float64", device="cpu"), *batch())
    assert value(table, "mirror_cosine", "V1") == pytest.approx(1, abs=1e-12)


def test_squares_are_the_four_synapse_motif():
    assert squares(paper_sal(LAYERS)) == [Square("W1", "V2", "Vt1", "Wt1"), Square("W2", "V3", "Vt2", "Wt2")]
    assert squares(direct_kolen_pollack(LAYERS)) == []


def test_unknown_quantities_are_refused(trained):
    with pytest.raises(cs.ParameterError, match="unknown quantities"):
        cs.alignment(trained, *batch(), quantities=["cosine"])
    for quantities in (["norm"], "norm"):
        assert set(cs.alignment(trained, *batch(), quantities=quantities).quantity) == {"norm"}
