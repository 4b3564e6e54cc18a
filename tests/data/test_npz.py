"""MedMNIST's package: where it keeps files, and what it must not leave behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from circuitsim.data import load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import chestmnist


@pytest.fixture
def not_imported(monkeypatch):
    """medmnist is imported as if for the first time."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "medmnist"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def home(bare_machine):
    assert Path.home() == bare_machine.parents[1] / "home"
    return Path.home()


def test_files_that_medmnist_downloaded_are_found(home, monkeypatch):
    image_set = chestmnist()
    image_set.publish(monkeypatch)
    image_set.put(home / ".medmnist")
    assert len(load_dataset("chestmnist", download=False).train) == 60


def test_nothing_is_left_in_the_home_folder(home, not_imported):
    home.mkdir()
    with pytest.raises(DataError, match="chestmnist is missing"):
        load_dataset("chestmnist", download=False)
    assert "medmnist" in sys.modules
    assert list(home.iterdir()) == []


def test_a_folder_of_medmnist_that_was_there_is_left_alone(home, not_imported):
    (home / ".medmnist").mkdir(parents=True)
    with pytest.raises(DataError, match="chestmnist is missing"):
        load_dataset("chestmnist", download=False)
    assert (home / ".medmnist").is_dir()


def test_the_checksum_asked_for_is_medmnists(tmp_path):
    with pytest.raises(DataError, match=r"chestmnist.npz is .* instead of 02c8a6516a18b556561a56cbdd36c4a8"):
        load_dataset("chestmnist", folder=chestmnist().put(tmp_path))
