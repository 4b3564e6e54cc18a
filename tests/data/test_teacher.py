"""teacher: classes that a random network gives."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from circuitsim.data import load_dataset
from circuitsim.errors import DataError, ParameterError


def test_the_defaults_are_4000_samples_of_32_features_in_5_classes():
    data = load_dataset("teacher")
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 2800, "validation": 600, "test": 600}
    assert all(torch.isfinite(split.x).all() for split in data.splits.values())
    assert (data.n_features, data.n_outputs, data.kind) == (32, 5, "classes")


def test_options_set_the_sizes():
    data = load_dataset("teacher", n_features=7, n_hidden=3, n_outputs=2, n_samples=200, depth=1)
    assert (data.n_features, data.n_outputs, len(data.train), len(data.test)) == (7, 2, 140, 30)


@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_rare_or_dominant(seed):
    share = load_dataset("teacher", seed=seed).train.target.bincount(minlength=5) / 2800
    assert share.min() > 0.08
    assert share.max() < 0.35


def test_the_seed_decides_everything():
    first, again, other = (load_dataset("teacher", seed=s) for s in (3, 3, 4))
    assert torch.equal(first.train.x, again.train.x)
    assert torch.equal(first.test.target, again.test.target)
    assert not torch.equal(first.train.x, other.train.x)


def test_inputs_are_gaussian():
    x = torch.cat([split.x for split in load_dataset("teacher", standardize=False).splits.values()]).double()
    assert x.mean().item() == pytest.approx(0, abs=0.01)
    assert x.std().item() == pytest.approx(1, abs=0.01)
    assert (x**4).mean().item() == pytest.approx(3, abs=0.15)


def test_a_linear_teacher_is_learnt_by_a_linear_classifier_and_a_deep_one_is_not():
    def score(depth):
        data = load_dataset("teacher", depth=depth)
        model = RidgeClassifier().fit(data.train.x, data.train.target)
        return model.score(data.test.x, data.test.target)

    assert score(0) > 0.8
    assert 0.3 < score(2) < 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_outputs": 1}, r"n_outputs must be a whole number, 2 or more \(got 1\)"),
        ({"n_features": 0}, "n_features must be a whole number, 1 or more"),
        ({"n_hidden": 2.5}, r"n_hidden must be .* \(got 2.5\)"),
        ({"depth": -1}, "depth must be a whole number, 0 or more"),
        ({"n_samples": 30}, "n_samples is 30; 5 classes need at least 50"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        load_dataset("teacher", **options)


def test_a_class_that_hardly_occurs_is_refused():
    with pytest.raises(DataError, match="every class in both parts"):
        load_dataset("teacher", n_outputs=100, n_samples=1000)
