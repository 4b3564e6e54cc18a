"""JPEG copies become a data set with their classes, and experiments run on data sets in their published formats."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import circuitsim as cs
from benchmark_table import BenchmarkTable
from feedback_width import FeedbackWidth
from learning_rates import LearningRates
from pathway_ablation import PathwayAblation
from representations import Representations
from support import datasets
from tests.data.image_sets import MAKERS
from tests.examples.run import assert_written

SIZES = {"train": 100, "test": 40}


def colour_of(label: int) -> tuple[int, int, int]:
    """One colour a class; JPEG keeps uniform images to within a few levels."""
    return 20 + 20 * label, 220 - 20 * label, 60 + 10 * label


def write_jpeg_copies(folder: Path) -> Path:
    """A small file of JPEG copies, in the order of the classes."""
    arrays = {}
    for split, n in SIZES.items():
        labels = np.sort(np.arange(n) % 10)
        files = []
        for label in labels:
            stream = io.BytesIO()
            Image.new("RGB", (32, 32), colour_of(label)).save(stream, "JPEG", quality=95)
            files.append(stream.getvalue())
        arrays[f"{split}_bytes"] = np.frombuffer(b"".join(files), np.uint8)
        arrays[f"{split}_sizes"] = np.array([len(file) for file in files], np.int32)
        arrays[f"{split}_labels"] = labels.astype(np.uint8)
    np.savez(folder / datasets.FILE, **arrays)
    return folder


def test_every_image_keeps_its_class_and_channels_are_standardised(tmp_path):
    data = datasets.load("cifar10_jpeg", write_jpeg_copies(tmp_path))
    assert (len(data.train), len(data.validation), len(data.test)) == (90, 10, 40)
    assert data.n_features == 3072 and "JPEG copies" in data.name
    assert data.validation.target.bincount().tolist() == [1] * 10
    x = data.train.x.double().reshape(90, 3, 1024)
    np.testing.assert_allclose(x.mean((0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std((0, 2), correction=0), 1, atol=1e-5)
    colours = np.array([colour_of(label) for label in range(10)], dtype=float)
    mean, std = colours.mean(0), colours.std(0)  # the classes are equally frequent
    for split in data.splits.values():
        found = split.x.reshape(len(split), 3, 1024).mean(2).numpy()
        np.testing.assert_allclose(found, ((colours - mean) / std)[split.target], atol=0.06)
    first = data.test.target[:10].tolist()
    assert first != sorted(first)  # so that the first samples of a split are a fair choice


def test_the_folder_may_be_named_by_the_environment_and_errors_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("CIRCUITSIM_DATA", str(write_jpeg_copies(tmp_path)))
    assert len(datasets.load("cifar10_jpeg").train) == 90
    with pytest.raises(cs.DataError, match="say where cifar10_jpeg.npz is with --folder"):
        datasets.load("cifar10_jpeg", tmp_path / "elsewhere")
    np.savez(tmp_path / datasets.FILE, train_bytes=np.zeros(3, np.uint8))
    with pytest.raises(cs.DataError, match="damaged, or not a file of JPEG copies"):
        datasets.load("cifar10_jpeg")
    with pytest.raises(cs.DataError, match="damaged"):
        (tmp_path / datasets.FILE).write_bytes(b"no archive")
        datasets.load("cifar10_jpeg")


@pytest.mark.parametrize(
    ("study", "dataset"),
    [
        (BenchmarkTable, "chestmnist"), (BenchmarkTable, "pathmnist"), (FeedbackWidth, "svhn"),
        (FeedbackWidth, "cifar10_jpeg"), (PathwayAblation, "cifar10_jpeg"), (PathwayAblation, "chestmnist"),
        (Representations, "svhn"), (LearningRates, "mnist"), (BenchmarkTable, "cifar10_jpeg"),
        (BenchmarkTable, "stl10"),
    ],
)  # fmt: skip
def test_the_papers_experiments_run_on_its_data_sets(study, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if dataset == "cifar10_jpeg":
        write_jpeg_copies(tmp_path)
    else:
        made = MAKERS[dataset]()
        made.publish(monkeypatch)
        made.put(tmp_path)
    out = tmp_path / "out"
    options = {"epochs": 1, "seeds": 1, "quick": True, "out": out, "device": "cpu", "progress": False}
    setup = study.on(dataset, folder=tmp_path, **options).setup
    found = study(dataclasses.replace(setup, hidden=(6, 6), batch_size=20)).run()  # the data set is what is tested
    loss = [result.final("loss", "test") for result in found.results.values()]
    assert np.isfinite(loss).any()
    assert_written(out)
    if study is BenchmarkTable:
        paper = set(found.table()["paper, %"]) - {"-"}
        assert len(paper) >= 4 and ("AUC" in found.notes()) == (dataset == "chestmnist")
        assert ("JPEG" in found.notes()) == (dataset == "cifar10_jpeg")


def test_smaller_images_are_averages_of_two_by_two_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.random((40, 28, 28)).astype(np.float32)
    data = cs.Dataset.from_arrays(x[:20], np.arange(20) % 2, validation=0.25, test=(x[20:], np.arange(20) % 2))
    monkeypatch.setattr(cs, "load_dataset", lambda name, folder: dataclasses.replace(data, name=name))
    found = datasets.load("fashion_mnist_14x14")
    means = x.reshape(40, 14, 2, 14, 2).mean((2, 4)).reshape(40, 196)
    train = means[:20][[int(np.flatnonzero((x[:20].reshape(20, -1) == row.numpy()).all(1))[0]) for row in data.train.x]]
    assert found.name == "fashion_mnist_14x14" and (found.n_features, found.n_outputs) == (196, 2)
    np.testing.assert_allclose(found.test.x, (means[20:] - train.mean()) / train.std(), atol=1e-5)
    assert found.train.x.mean().abs() < 1e-5 and datasets.setting_for(found.name) == datasets.SMALL
