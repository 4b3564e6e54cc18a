"""What is particular to each of torchvision's image sets."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from circuitsim.data import image_sets, load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import cifar10, fashion_mnist, put, stl10, svhn

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


class Bomb:
    """A pickle that makes a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["data_batch_5", "batches.meta"])
def test_a_pickle_of_cifar10_that_is_not_the_published_one_is_never_opened(tmp_path, monkeypatch, name):
    image_set = cifar10()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path / "mine")
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    with pytest.raises(DataError, match=f"{folder}/{name} is damaged, truncated or a different file"):
        load_dataset("cifar10", folder=folder)
    assert not (tmp_path / "mark").exists()
    pickle.loads((folder / name).read_bytes())
    assert (tmp_path / "mark").exists()


def test_the_label_10_of_svhn_is_the_digit_0_and_its_extra_images_are_not_asked_for(tmp_path, monkeypatch):
    image_set = svhn()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path)
    (folder / "extra_32x32.mat").write_bytes(b"damaged")
    data = load_dataset("svhn", folder=folder, validation=None)
    assert repr(data) == "Dataset('svhn', kind='classes', n_features=3072, n_outputs=10, train=100, test=20)"
    assert data.test.target.tolist() == [*range(10), *range(10)]


def test_classes_of_stl10_count_from_0_and_its_columns_become_rows(tmp_path, monkeypatch):
    image_set = stl10()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path)
    data = load_dataset("stl10", folder=folder, validation=None, standardize=False)
    first, second, third = (folder / "train_X.bin").read_bytes()[:3]
    # the file goes down the first column: rows 0, 1 and 2 of column 0
    assert (data.train.x[0, [0, 96, 192]] * 255).round().tolist() == [first, second, third]
    assert data.train.target[:3].tolist() == [label - 1 for label in (folder / "train_y.bin").read_bytes()[:3]]


def test_fashion_mnist_is_read_from_the_system_package_which_is_not_written_to(monkeypatch):
    image_set = fashion_mnist()
    image_set.publish(monkeypatch)
    package = put(image_set.remote | {"t10k-labels-idx1-ubyte.gz": b""}, image_sets.DEBIAN_FASHION_MNIST)
    with pytest.raises(DataError, match=f"{package}/t10k-labels-idx1-ubyte.gz is damaged"):
        load_dataset("fashion_mnist")
    put(image_set.remote, package)
    assert len(load_dataset("fashion_mnist", download=False).test) == 20
    assert {path.name: path.read_bytes() for path in package.iterdir()} == image_set.remote


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist_is_read_without_being_written_to(monkeypatch):
    monkeypatch.setattr(image_sets, "DEBIAN_FASHION_MNIST", DEBIAN)
    before = sorted(p.name for p in DEBIAN.iterdir())
    data = load_dataset("fashion_mnist", download=False)
    assert {part: len(split) for part, split in data.splits.items()} == {
        "train": 55000,
        "validation": 5000,
        "test": 10000,
    }
    assert all(torch.isfinite(split.x).all() for split in data.splits.values())
    assert data.train.target.bincount().tolist() == [5500] * 10
    assert data.test.target[:5].tolist() == [9, 2, 1, 1, 6]
    # black is 0; 0.2860 and 0.3530 are the mean and std of the 60000 training images in every tutorial
    assert data.train.x.min().item() == pytest.approx(-0.2860 / 0.3530, abs=2e-3)
    assert sorted(p.name for p in DEBIAN.iterdir()) == before
    with pytest.raises(
        DataError, match=rf"{DEBIAN}/train-images-idx3-ubyte.gz is damaged, truncated or a different file"
    ):
        load_dataset("mnist", folder=DEBIAN)
