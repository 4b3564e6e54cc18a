"""The claims of docs/theory.md, measured in quick mode; what must hold has a counterpart that must not."""

import numpy as np
import pandas as pd
import pytest
import torch

from circuitsim.analysis.self_alignment import cosine
from tests.examples.run import assert_written, run
from theory import Theory, ordered, share


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run(Theory, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def claims(study):
    return {claim.name: claim for claim in study.claims}


@pytest.mark.parametrize("panel", ["normalised", "shuffled error"])
def test_the_gap_shrinks_by_one_over_tau_in_every_step_whatever_the_data(claims, panel):
    steps, ratios = claims["Lemma 1"].ratios(panel)
    found = ratios["Vt averages as long as V"]
    assert steps[-1] > 50 and found.shape == (len(steps), 2)
    line = (1 - 1 / 300) ** steps
    np.testing.assert_allclose(found, np.column_stack([line, line]), rtol=1e-10)


def test_the_gap_leaves_its_line_if_the_two_averages_differ(claims):
    steps, ratios = claims["Lemma 1"].ratios("normalised")
    assert (ratios["2 times as long"][-1] > 1.03 * (1 - 1 / 300) ** steps[-1]).all()


def test_the_gap_of_the_papers_form_shrinks_by_eta_gamma(claims):
    steps, ratios = claims["Lemma 1"].ratios("form of the paper")
    np.testing.assert_allclose(ratios[""][:, 0], (1 - 0.13 * 1.7 * 0.01) ** steps, rtol=1e-10)


def test_drives_obey_the_identity_exactly_where_slopes_are_constant_and_only_there(claims):
    rest = claims["Rest"]

    def found(activation, site):
        panel, result = rest.of(activation)
        return np.concatenate(list(panel.final(result, "drives", site=site).values()))

    for values in (found("linear", "W1"), found("linear", "W2"), found("relu", "W2")):
        assert len(values) == 6
        np.testing.assert_allclose(values, 1, atol=1e-4)
    hidden = found("relu", "W1")
    assert ((hidden < 0.995) & (hidden > 0.3)).all()


def test_weights_obey_the_identity_where_all_forget_their_start(claims):
    panel, result = claims["Rest"].of("relu")
    found = {metric: panel.final(result, metric, site=site) for metric, site in (("weights", "W1"), ("size", "Wt1"))}
    fast = "all forget (gamma 1e-3, tau 300)"
    assert (found["weights"][fast] > found["weights"]["default rates"] + 0.1).all()
    assert (found["size"]["default rates"] > 10 * found["size"][fast]).all()


def test_w_with_the_shorter_memory_assembles_first(claims):
    clock = claims["Clock"]
    panel, result = clock.of("W alone is faster, strong V")
    _, found = panel.curve(result, "stationarity_cosine", "W1", "W2")
    assert (found["γ = 0.001"][-1] > found["γ = 0.0001"][-1] + 0.05).all()
    eta_b = panel.cells["γ = 0.001"]["gamma"] ** -1 / clock.memory(1e-3)
    rates = result.circuit.parameters("W2")
    assert eta_b == pytest.approx(rates["eta"] * 64 / (64 + rates["few"]))


def test_an_average_of_unrelated_unit_traces_has_the_size_that_is_predicted(claims):
    tau, n_samples, rng = 50, 8, np.random.default_rng(0)
    v = np.zeros((30, 20))
    for _ in range(6 * tau):
        h, g = rng.standard_normal((30, n_samples)), rng.standard_normal((20, n_samples))
        v += (h @ g.T / n_samples - v) / tau
    assert np.sqrt((v**2).mean()) == pytest.approx((2 * tau * n_samples) ** -0.5, rel=0.1)
    circuit = claims["Noise"].of("5 hidden layers")[1].circuit
    tau = float(circuit.parameters("V1")["tau"])
    assert claims["Noise"].incoherent(circuit) == pytest.approx((2 * tau * 64) ** -0.5)


def test_at_large_rates_a_dendrite_that_is_always_full_makes_weights_grow(claims):
    for panel in ("5 hidden layers", "8 hidden layers"):
        size = claims["Noise"].at_end(panel, "size")
        saturating, full = (size[f"{dendrite}, eta x 4, silent V"] for dendrite in ("saturating", "always full"))
        assert (saturating < 0.3).all() and (full > 1.5 * saturating).all()


def test_the_share_of_ordered_pairs_is_that_of_their_definition():
    lost = np.array([True, True, False, False, False])
    values = np.array([3.0, 1.0, 2.0, 1.0, 0.0])
    assert ordered(values, lost) == pytest.approx((3 + 0 + 0.5 + 1) / 6)
    assert np.isnan(ordered(values, np.zeros(5, bool)))


def test_the_largest_stable_rate_is_near_its_bound_at_every_batch_size(claims):
    claim = claims["Step bound"]
    edges = {batch: claim.edge(f"batch {batch}") for batch in claim.batches}
    assert all(0.7 < edge < 1.4 for edge in edges.values()), edges
    assert claim.strongest == pytest.approx(0.49, abs=0.03)


def test_cosines_and_shares_of_known_matrices():
    a = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]], dtype=torch.float64)
    b = torch.tensor([[[3.0, 1.0], [0.0, 0.0]]], dtype=torch.float64)
    assert cosine(a, b).item() == pytest.approx(9 / (5 * 10**0.5))
    assert share(a).item() == pytest.approx(16 / 25)


def test_the_run_folder_holds_table_figures_and_histories(study):
    out = study.setup.out
    names = ("lemma", "rest", "clock_stationarity_0", "clock_gradient_2", "noise_coherence", "loop_5", "step_bound")
    assert_written(out, *(f"{name}.png" for name in names))
    assert {"Lemma 1: normalised", "Step bound: batch 16"} <= set(
        pd.read_csv(out / "history.csv", usecols=["circuit"]).circuit
    )
    assert "Lemma 1" in (out / "report.md").read_text()
