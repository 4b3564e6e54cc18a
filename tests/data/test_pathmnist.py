"""PathMNIST: one class per image, in colour."""

from __future__ import annotations

import torch

from circuitsim.data import load_dataset
from tests.data.image_sets import pathmnist


def test_targets_are_classes_and_splits_are_the_official_ones(tmp_path, monkeypatch):
    image_set = pathmnist()
    image_set.publish(monkeypatch)
    data = load_dataset("pathmnist", folder=image_set.put(tmp_path))
    sizes = "train=63, validation=18, test=20"
    assert repr(data) == f"Dataset('pathmnist', kind='classes', n_features=2352, n_outputs=9, {sizes})"
    for part, split in data.splits.items():
        assert split.target.dtype == torch.int64
        assert split.target.tolist() == image_set.targets[part].tolist()
