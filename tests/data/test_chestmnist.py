"""ChestMNIST: many labels at once."""

from __future__ import annotations

import torch

from circuitsim.data import load_dataset
from tests.data.image_sets import chestmnist


def test_targets_are_label_vectors_and_splits_are_the_official_ones(tmp_path, monkeypatch):
    image_set = chestmnist()
    image_set.publish(monkeypatch)
    data = load_dataset("chestmnist", folder=image_set.put(tmp_path))
    sizes = "train=60, validation=14, test=20"
    assert repr(data) == f"Dataset('chestmnist', kind='labels', n_features=784, n_outputs=14, {sizes})"
    for part, split in data.splits.items():
        assert split.target.dtype == torch.float32
        assert split.target.tolist() == image_set.targets[part].tolist()
