"""MedMNIST: every set by its name, with classes or labels, in two or three dimensions."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from circuitsim.data import load_dataset
from circuitsim.data.image_sets import MEDMNIST
from tests.data.image_sets import chestmnist, md5, pathmnist


@pytest.fixture
def info():
    """What medmnist knows of its sets."""
    from medmnist import INFO  # here because it writes to the home folder: to that of the test

    return INFO


def test_every_set_of_medmnist_is_known(info):
    assert set(info) == set(MEDMNIST)


@pytest.mark.parametrize(
    ("make", "kind", "dtype"), [(chestmnist, "labels", "float32"), (pathmnist, "classes", "int64")]
)
def test_files_that_medmnist_downloaded_are_found_with_their_splits_and_targets(monkeypatch, make, kind, dtype):
    image_set = make()
    image_set.publish(monkeypatch)
    image_set.put(Path.home() / ".medmnist")
    data = load_dataset(image_set.name, download=False)
    assert data.kind == kind
    for part, split in data.splits.items():
        assert split.target.dtype == getattr(torch, dtype)
        assert split.target.tolist() == image_set.targets[part].tolist()


def test_volumes_are_flattened_plane_by_plane(tmp_path, monkeypatch, info):
    volumes = np.zeros((4, 28, 28, 28), dtype=np.uint8)
    volumes[1, 2, 3, 4] = 255
    classes = np.array([[0], [1], [1], [0]], dtype=np.uint8)
    stream = io.BytesIO()
    parts = ("train", "val", "test")
    np.savez_compressed(
        stream, **{f"{part}_images": volumes for part in parts}, **{f"{part}_labels": classes for part in parts}
    )
    (tmp_path / "nodulemnist3d.npz").write_bytes(stream.getvalue())
    monkeypatch.setitem(info["nodulemnist3d"], "MD5", md5(stream.getvalue()))
    data = load_dataset("nodulemnist3d", folder=tmp_path, standardize=False)
    assert (data.n_features, data.n_outputs, data.kind) == (28**3, 2, "classes")
    assert data.test.target.tolist() == [0, 1, 1, 0]
    assert data.test.x.nonzero().tolist() == [[1, 2 * 28**2 + 3 * 28 + 4]]
    assert data.test.x.max() == 1
