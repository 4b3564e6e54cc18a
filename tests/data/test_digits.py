"""digits: scikit-learn's bundled images."""

from __future__ import annotations

import pytest
import torch
from sklearn import datasets
from sklearn.linear_model import RidgeClassifier

from circuitsim.data import load_dataset


def test_the_default_split_is_fixed_and_stratified():
    data = load_dataset("digits")
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 1257, "validation": 270, "test": 270}
    for split in data.splits.values():
        assert torch.isfinite(split.x).all()
        share = split.target.bincount() / len(split)
        assert share.min() > 0.09
        assert share.max() < 0.11
    assert torch.equal(load_dataset("digits").test.x, data.test.x)
    for part in data.splits:  # targets, as inputs change with the statistics of the training split anyway
        assert not torch.equal(load_dataset("digits", seed=1).splits[part].target, data.splits[part].target)


def test_the_three_splits_are_the_images_of_scikit_learn_each_once():
    data = load_dataset("digits", standardize=False)
    rows = torch.cat([torch.column_stack([s.x * 16, s.target]) for s in data.splits.values()])
    pixels, digits = datasets.load_digits(return_X_y=True)
    whole = torch.column_stack([torch.tensor(pixels), torch.tensor(digits)])
    assert sorted(rows.tolist()) == sorted(whole.tolist())


def test_pixels_have_mean_0_and_std_1_over_the_training_split():
    x = load_dataset("digits").train.x.double()
    assert x.mean().item() == pytest.approx(0, abs=1e-6)
    assert x.std().item() == pytest.approx(1, abs=1e-5)


def test_a_linear_classifier_learns_them():
    data = load_dataset("digits")
    model = RidgeClassifier().fit(data.train.x, data.train.target)
    assert model.score(data.test.x, data.test.target) > 0.9
