"""MNIST and Fashion-MNIST: found, fetched, read, and refused."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from circuitsim.data import load_dataset
from circuitsim.errors import DataError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
IMAGES = "train-images-idx3-ubyte.gz"


def resources(files):
    return [(name, hashlib.md5(data).hexdigest()) for name, data in files.items()]


def pixels(data: bytes, header: int = 16) -> np.ndarray:
    return np.frombuffer(gzip.decompress(data)[header:], dtype=np.uint8)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("unpacked", [False, True])
def test_files_in_the_given_folder_are_read_and_split(tmp_path, idx_files, write, name, unpacked):
    files = idx_files()
    data = load_dataset(name, folder=write(files, tmp_path / "mine", unpacked=unpacked), standardize=False)
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 220, "validation": 20, "test": 40}
    assert (data.n_features, data.n_outputs, data.kind, data.name) == (784, 10, "classes", name)
    assert data.validation.target.bincount().tolist() == [2] * 10
    assert np.array_equal(
        (data.test.x * 255).round().numpy().astype(np.uint8).ravel(), pixels(files[f"t10k{IMAGES[5:]}"])
    )
    assert data.test.target.tolist() == (np.arange(40) % 10).tolist()


def test_inputs_are_standardised_by_one_mean_and_std_of_the_training_pixels(tmp_path, idx_files, write):
    folder = write(idx_files(), tmp_path)
    raw, scaled = (load_dataset("mnist", folder=folder, standardize=s) for s in (False, True))
    train = raw.train.x.double()
    assert torch.isfinite(scaled.train.x).all()
    expected = (raw.test.x.double() - train.mean()) / train.std(correction=0)
    torch.testing.assert_close(scaled.test.x.double(), expected, rtol=0, atol=1e-5)


def test_the_data_folder_of_the_environment_is_found(tmp_path, idx_files, write, monkeypatch):
    write(idx_files(), tmp_path / "env" / "MNIST" / "raw")
    monkeypatch.setenv("CIRCUITSIM_DATA", str(tmp_path / "env"))
    assert len(load_dataset("mnist", download=False).test) == 40


def test_what_is_missing_is_downloaded_to_the_cache_and_then_found_there(idx_files, mirror, monkeypatch, bare_machine):
    files = idx_files()
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources(files))
    server = mirror(files)
    data = load_dataset("mnist", mirrors=[server.url], progress=False)
    assert len(data.train) == 220
    assert {p.name for p in (bare_machine / "MNIST" / "raw").iterdir()} - {".download.lock"} == set(files)
    assert len(load_dataset("mnist", download=False).train) == 220
    assert len(server.asked) == 4


def test_a_download_goes_to_the_given_folder_from_the_mirror_of_the_environment(
    tmp_path, idx_files, mirror, monkeypatch, no_package, bare_machine
):
    files = idx_files()
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", resources(files))
    monkeypatch.setenv("CIRCUITSIM_MIRROR", f"{mirror({}).url} {mirror(files).url}")
    load_dataset("fashion_mnist", folder=tmp_path / "mine", progress=False)
    assert (tmp_path / "mine" / "FashionMNIST" / "raw" / IMAGES).is_file()
    assert not bare_machine.exists()


def test_torchvisions_own_mirrors_are_the_default(idx_files, mirror, monkeypatch):
    files = idx_files()
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources(files))
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror(files).url])
    assert len(load_dataset("mnist", progress=False).test) == 40


def test_a_mirror_with_other_files_is_refused_by_torchvisions_checksums(idx_files, mirror):
    with pytest.raises(DataError, match="instead of f68b3c2dcbeaaa9fbdd348bbdeb94873"):
        load_dataset("mnist", mirrors=mirror(idx_files()).url, progress=False)


def test_offline_the_message_names_files_folder_and_package(tmp_path, mirror, no_package):
    where = rf"Put {IMAGES}, .*t10k-labels-idx1-ubyte.gz into {tmp_path}/mine/FashionMNIST/raw. On Debian, `apt install"
    with pytest.raises(DataError, match=rf"(?s)fashion_mnist is missing .*404.*{where} dataset-fashion-mnist`"):
        load_dataset("fashion_mnist", folder=tmp_path / "mine", mirrors=[mirror({}).url], progress=False)


def test_nothing_is_fetched_or_written_when_downloading_is_off(mirror, bare_machine):
    server = mirror({})
    with pytest.raises(
        DataError, match=r"mnist is missing and could not be fetched: downloading is off.*\n.*MNIST/raw"
    ):
        load_dataset("mnist", download=False, mirrors=[server.url])
    assert server.asked == []
    assert not bare_machine.exists()


def test_a_damaged_file_is_refused_by_name(tmp_path, idx_files, write):
    files = idx_files()
    folder = write(files | {IMAGES: files[IMAGES][:-1000]}, tmp_path)
    with pytest.raises(DataError, match=rf"{IMAGES} is damaged: images of shape \[240, 28, 28\] take 188176 bytes"):
        load_dataset("mnist", folder=folder)


def test_images_and_labels_that_do_not_fit_are_refused(tmp_path, idx_files, write):
    labels = "train-labels-idx1-ubyte.gz"
    mixed = idx_files() | {labels: idx_files(n_train=230)[labels]}
    with pytest.raises(DataError, match=rf"{IMAGES} holds 240 images, but .*{labels} holds 230 labels"):
        load_dataset("mnist", folder=write(mixed, tmp_path / "counts"))
    with pytest.raises(DataError, match=rf"{IMAGES} holds images of \[8, 8\] pixels; they should be 28 x 28"):
        load_dataset("mnist", folder=write(idx_files(pixels=8), tmp_path / "pixels"))


def test_labels_beyond_nine_are_refused(tmp_path, idx_files, write):
    name = "t10k-labels-idx1-ubyte.gz"
    labels = bytearray(gzip.decompress(idx_files()[name]))
    labels[-1] = 10
    folder = write(idx_files() | {name: gzip.compress(labels)}, tmp_path)
    with pytest.raises(DataError, match=f"{name} holds the label 10; classes are 0 to 9"):
        load_dataset("mnist", folder=folder)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist_is_read_without_being_written_to():
    before = sorted(p.name for p in DEBIAN.iterdir())
    data = load_dataset("fashion_mnist", download=False)
    assert {part: len(split) for part, split in data.splits.items()} == {
        "train": 55000,
        "validation": 5000,
        "test": 10000,
    }
    assert all(torch.isfinite(split.x).all() for split in data.splits.values())
    assert data.train.x.dtype == torch.float32
    assert data.train.target.bincount().tolist() == [5500] * 10
    assert data.validation.target.bincount().tolist() == [500] * 10
    assert data.test.target[:5].tolist() == [9, 2, 1, 1, 6]
    assert data.train.x.double().mean().item() == pytest.approx(0, abs=1e-5)
    assert data.train.x.double().std().item() == pytest.approx(1, abs=1e-5)
    # black is 0; 0.2860 and 0.3530 are the mean and std of the 60000 training images in every tutorial
    assert data.train.x.min().item() == pytest.approx(-0.2860 / 0.3530, abs=2e-3)
    assert sorted(p.name for p in DEBIAN.iterdir()) == before


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_fashion_mnist_is_not_taken_for_mnist():
    with pytest.raises(DataError, match="are fashion_mnist's: give the folder of mnist"):
        load_dataset("mnist", folder=DEBIAN)
