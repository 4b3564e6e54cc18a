"""find_files: which folder wins, and which layouts are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuitsim.data.folders import cache_folder, find_files

FILES = ("a-ubyte.gz", "b-ubyte.gz")


def put(folder: Path, names=FILES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def find(folder=None, system=()):
    found = find_files("fashion_mnist", "FashionMNIST", FILES, folder, system, "raw")
    return found and found[FILES[0]].parent


@pytest.mark.parametrize("inner", ["", "raw"])
@pytest.mark.parametrize("name", ["FashionMNIST", "fashion_mnist", "fashion-mnist", "."])
def test_every_layout_is_found_compressed_or_not(tmp_path, name, inner):
    layout = f"{name}/{inner}"
    put(tmp_path / "packed" / layout)
    put(tmp_path / "plain" / layout, ("a-ubyte", "b-ubyte"))
    put(tmp_path / "mixed" / layout, ("a-ubyte", "b-ubyte.gz"))
    for case in ("packed", "plain", "mixed"):
        assert find(tmp_path / case) == tmp_path / case / layout


def test_folders_are_tried_in_order(tmp_path, monkeypatch):
    given, system = tmp_path / "given", tmp_path / "system"
    monkeypatch.setenv("CIRCUITSIM_DATA", str(tmp_path / "env"))
    assert find(given, [system]) is None
    for folder in (system, cache_folder() / "FashionMNIST" / "raw", tmp_path / "env", given):
        put(folder)
        assert find(given, [system]) == folder


def test_an_incomplete_folder_is_passed_over_and_never_mixed_with_another(tmp_path):
    put(tmp_path / "given" / "FashionMNIST" / "raw", FILES[:1])
    put(tmp_path / "given", FILES[1:])
    assert find(tmp_path / "given") is None
    assert find(tmp_path / "given", [put(tmp_path / "system")]) == tmp_path / "system"


@pytest.mark.parametrize("file", ["a.tar.gz", "a.npz", "a.bin"])
def test_only_idx_files_may_be_uncompressed(tmp_path, file):
    put(tmp_path, [Path(file).stem])
    assert find_files("a", "A", [file], tmp_path, ()) is None
    put(tmp_path, [file])
    assert find_files("a", "A", [file], tmp_path, ()) == {file: tmp_path / file}


def test_part_files_do_not_count(tmp_path):
    put(tmp_path, ("a-ubyte.gz", "b-ubyte.gz.part"))
    assert find(tmp_path) is None


def test_the_cache_is_in_the_users_home_without_xdg(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_folder() == Path("/home/someone/.cache/circuitsim")
