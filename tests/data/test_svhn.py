"""SVHN: digits as they are labelled."""

from __future__ import annotations

import pytest
from torchvision import datasets

from circuitsim.data import load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import md5, svhn


def test_the_label_10_is_the_digit_0(tmp_path, monkeypatch):
    image_set = svhn()
    image_set.publish(monkeypatch)
    data = load_dataset("svhn", folder=image_set.put(tmp_path), validation=None)
    assert repr(data) == "Dataset('svhn', kind='classes', n_features=3072, n_outputs=10, train=100, test=20)"
    assert data.test.target.tolist() == [*range(10), *range(10)]


def test_the_extra_images_are_not_asked_for(tmp_path, monkeypatch):
    image_set = svhn()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path)
    (folder / "extra_32x32.mat").write_bytes(b"damaged")
    assert len(load_dataset("svhn", folder=folder).train) == 90


def test_the_checksums_asked_for_are_torchvisions(tmp_path):
    sums = [datasets.SVHN.split_list[part][2] for part in ("train", "test")]
    assert md5(svhn().files["train_32x32.mat"]) not in sums
    with pytest.raises(DataError, match=f"train_32x32.mat is .* instead of {sums[0]}"):
        load_dataset("svhn", folder=svhn().put(tmp_path))
