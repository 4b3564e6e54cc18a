"""STL-10: the labelled images only."""

from __future__ import annotations

import pytest

from circuitsim.data import load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import put, stl10


def test_classes_count_from_0_and_columns_become_rows(tmp_path, monkeypatch):
    image_set = stl10()
    image_set.publish(monkeypatch)
    folder = image_set.put(tmp_path)
    data = load_dataset("stl10", folder=folder, validation=None, standardize=False)
    assert repr(data) == "Dataset('stl10', kind='classes', n_features=27648, n_outputs=10, train=100, test=20)"
    first, second, third = (folder / "train_X.bin").read_bytes()[:3]
    # the file goes down the first column: rows 0, 1 and 2 of column 0
    assert (data.train.x[0, [0, 96, 192]] * 255).round().tolist() == [first, second, third]
    assert data.train.target[:3].tolist() == [label - 1 for label in (folder / "train_y.bin").read_bytes()[:3]]


def test_the_unlabelled_images_stay_packed(tmp_path, monkeypatch):
    image_set = stl10()
    image_set.publish(monkeypatch)
    load_dataset("stl10", folder=put(image_set.remote, tmp_path), progress=False)
    unpacked = {path.name for path in (tmp_path / "STL10" / "stl10_binary").iterdir()}
    assert unpacked == {"train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"}


def test_the_checksums_asked_for_are_torchvisions(tmp_path):
    with pytest.raises(DataError, match=r"train_X.bin is .* instead of 918c2871b30a85fa023e0c44e0bee87f"):
        load_dataset("stl10", folder=stl10().put(tmp_path))
