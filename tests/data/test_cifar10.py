"""CIFAR-10: batches in order, and pickles that are not trusted."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from circuitsim.data import load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import cifar10


class Bomb:
    """A pickle that makes a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_batches_are_read_in_order(tmp_path, monkeypatch):
    image_set = cifar10()
    image_set.publish(monkeypatch)
    data = load_dataset("cifar10", folder=image_set.put(tmp_path), validation=None)
    assert repr(data) == "Dataset('cifar10', kind='classes', n_features=3072, n_outputs=10, train=100, test=20)"
    assert data.train.target.tolist() == image_set.targets["train"].tolist()


def test_the_bomb_goes_off_where_it_is_unpickled(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch", "batches.meta"])
def test_a_pickle_that_is_not_the_published_one_is_never_opened(tmp_path, monkeypatch, name):
    image_set = cifar10()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path / "mine")
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    monkeypatch.setattr(pickle, "load", lambda *args, **kwargs: pytest.fail("unpickled"))
    with pytest.raises(DataError, match=f"{folder}/{name} is damaged, cut short or another file"):
        load_dataset("cifar10", folder=folder)
    assert not (tmp_path / "mark").exists()


def test_the_checksums_asked_for_are_torchvisions(tmp_path):
    folder = cifar10().put(tmp_path)  # sound, but not what Krizhevsky published
    with pytest.raises(DataError, match="data_batch_1 is .* instead of c99cafc152244af753f735de768cd75f"):
        load_dataset("cifar10", folder=folder)
