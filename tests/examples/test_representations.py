"""Representations: second moments and effective ranks, checked against NumPy."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal
from representations import PAPER, Representations, ranks, second_moments
from tests.examples.run import assert_written, numbers, run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run(Representations, tmp_path_factory.mktemp("run"))


def effective_rank(matrix):
    s = np.linalg.svd(matrix, compute_uv=False)
    p = s[s > 0] / s.sum()
    return np.exp(-(p * np.log(p)).sum())


def test_ranks_at_the_start_are_those_of_numpy(study):
    data = cs.load_dataset("digits")
    circuit = cs.compile(paper_sal([64, 60, 60, 60, 10]), replicas=2, device="cpu")
    table = study.histories[PAPER].to_pandas()
    start = table[(table.epoch == 0) & (table.split == "probe")].set_index(["metric", "site", "replica"]).value
    for replica in range(2):
        h = data.validation.x[:1000].double().numpy()
        for k in range(3):
            w = circuit.weights(f"W{k}")[replica].double().numpy()
            h = np.maximum(h @ w.T, 0)
            assert start["rank_W", f"W{k}", replica] == pytest.approx(effective_rank(w @ w.T), rel=1e-5)
            assert start["rank_h", f"W{k}", replica] == pytest.approx(effective_rank(h.T @ h), rel=1e-3)


def test_ranks_are_measured_over_training_and_move_with_the_error(study):
    for label, history in study.histories.items():
        for site in ("W0", "W1", "W2"):
            curve = history.curve("rank_h", "probe", site)
            assert len(curve) == 7 and ((curve >= 1) & (curve <= 60)).all(axis=None), label
    moved = {label: h.curve("rank_W", "probe", "W0").diff().abs().sum().mean() for label, h in study.histories.items()}
    assert moved[PAPER] > 2 * moved["control: shuffled error"]


def test_accuracy_tells_that_sal_learned_and_shuffled_error_did_not(study):
    mean = numbers(study.table().drop_duplicates("circuit").set_index("circuit"), "test accuracy, %")
    assert mean[PAPER] > 80 > 50 > mean["control: shuffled error"]
    assert mean[PAPER] > mean["control: feedback frozen at random"]


def test_a_rank_that_is_not_defined_is_nan():
    found = ranks({("rank_h", "W0"): torch.stack([torch.zeros(3, 3), torch.eye(3), torch.full((3, 3), float("inf"))])})
    assert np.isnan(found.value[0]) and found.value[1] == pytest.approx(3) and np.isnan(found.value[2])


def test_second_moments_are_symmetric_and_of_the_postsynaptic_neurons():
    circuit = cs.compile(paper_sal([64, 7, 5, 10]), replicas=2, device="cpu")
    found = second_moments(circuit, cs.load_dataset("digits").validation.x)
    assert {key: tuple(m.shape) for key, m in found.items()} == {
        (kind, site): (2, n, n) for kind in ("rank_W", "rank_h") for site, n in (("W0", 7), ("W1", 5))
    }  # fmt: skip
    for matrices in found.values():
        torch.testing.assert_close(matrices, matrices.transpose(1, 2))


def test_the_run_folder_holds_figures_before_and_after(study):
    names = (
        "matrices_sal.png",
        "matrices_sal_paper.png",
        "matrices_shuffled_error.svg",
        "rank_W_W0.png",
        "rank_h_W2.png",
    )
    assert_written(study.setup.out, *names)
