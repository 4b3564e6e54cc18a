"""Small image sets in the formats that the real ones are published in."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from torchvision import datasets

from circuitsim.data import image_sets

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class ImageSet:
    """A data set that is published.

    Args:
        name, class_name: circuitsim's and the reader's.
        images, targets: part ("train", "test", perhaps "validation") -> uint8 ``[sample, channel, row, column]``, and
            what `load_dataset` should make of the labels.
        files: name -> content, as the reader has them in the folder `inner`.
        remote: name -> content, as a mirror serves them.
        publish: makes the checksums of `files` and `remote` the published ones.
    """

    name: str
    class_name: str
    images: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    files: dict[str, bytes]
    inner: str
    remote: dict[str, bytes]
    publish: Callable[[Patch], None]

    def put(self, folder: Path) -> Path:
        """Write the files right into `folder`, which is returned."""
        return put(self.files, folder)


def put(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def draw(n: int, channels: int, size: int, seed: int) -> np.ndarray:
    """Random pixels, darker and of less contrast in later channels; no two images, rows or columns are alike."""
    images = np.random.default_rng(seed).integers(0, 256, (n, channels, size, size))
    return (images // np.arange(1, channels + 1)[:, None, None]).astype(np.uint8)


def pack(files: dict[str, bytes]) -> bytes:
    """A .tar.gz archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _mnist(name: str, class_name: str, seed: int) -> ImageSet:
    images = {"train": draw(120, 1, 28, seed), "test": draw(20, 1, 28, seed + 1)}
    targets = {part: np.arange(len(x)) * 3 % 10 for part, x in images.items()}

    def idx(array: np.ndarray) -> bytes:
        """Magic number, big-endian shape, values."""
        return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()

    files = {}
    for part, x in images.items():
        prefix = {"train": "train", "test": "t10k"}[part]
        files[f"{prefix}-images-idx3-ubyte"] = idx(x[:, 0])
        files[f"{prefix}-labels-idx1-ubyte"] = idx(targets[part])
    remote = {f"{file}.gz": gzip.compress(data, compresslevel=1, mtime=0) for file, data in files.items()}

    def publish(patch: Patch) -> None:
        resources = [(file, md5(data)) for file, data in remote.items()]
        patch.setattr(getattr(datasets, class_name), "resources", resources)
        patch.setattr(image_sets, f"{name.upper()}_MD5S", {file: md5(data) for file, data in files.items()})

    return ImageSet(name, class_name, images, targets, files, "raw", remote, publish)


@cache
def mnist() -> ImageSet:
    return _mnist("mnist", "MNIST", 10)


@cache
def fashion_mnist() -> ImageSet:
    return _mnist("fashion_mnist", "FashionMNIST", 12)


@cache
def cifar10() -> ImageSet:
    images = {"train": draw(100, 3, 32, 0), "test": draw(20, 3, 32, 1)}
    targets = {part: np.arange(len(x)) * 3 % 10 for part, x in images.items()}

    def batch(part: str, span: slice) -> bytes:
        x, y = images[part][span], targets[part][span]
        return pickle.dumps({"data": x.reshape(len(x), -1), "labels": y.tolist(), "filenames": []}, protocol=2)

    files = {f"data_batch_{i + 1}": batch("train", slice(20 * i, 20 * i + 20)) for i in range(5)}
    files["test_batch"] = batch("test", slice(None))
    files["batches.meta"] = pickle.dumps({"label_names": [*"abcdefghij"]}, protocol=2)
    inner = "cifar-10-batches-py"
    archive = pack({f"{inner}/{name}": data for name, data in (files | {"readme.html": b"<html>"}).items()})

    def publish(patch: Patch) -> None:
        lists = [[name, md5(data)] for name, data in files.items()]
        patch.setattr(datasets.CIFAR10, "train_list", lists[:5])
        patch.setattr(datasets.CIFAR10, "test_list", lists[5:6])
        patch.setitem(datasets.CIFAR10.meta, "md5", lists[6][1])
        patch.setattr(datasets.CIFAR10, "tgz_md5", md5(archive))

    return ImageSet("cifar10", "CIFAR10", images, targets, files, inner, {"cifar-10-python.tar.gz": archive}, publish)


@cache
def svhn() -> ImageSet:
    images = {"train": draw(100, 3, 32, 2), "test": draw(20, 3, 32, 3)}
    targets = {part: np.arange(len(x)) % 10 for part, x in images.items()}
    files = {}
    for part, x in images.items():
        labels = np.where(targets[part] == 0, 10, targets[part]).astype(np.uint8)[:, None]
        stream = io.BytesIO()
        scipy.io.savemat(stream, {"X": x.transpose(2, 3, 1, 0), "y": labels}, do_compression=True)
        files[f"{part}_32x32.mat"] = stream.getvalue()

    def publish(patch: Patch) -> None:
        for part in images:
            url, name, _ = datasets.SVHN.split_list[part]
            patch.setitem(datasets.SVHN.split_list, part, [url, name, md5(files[name])])

    return ImageSet("svhn", "SVHN", images, targets, files, "", files, publish)


@cache
def stl10() -> ImageSet:
    images = {"train": draw(100, 3, 96, 4), "test": draw(20, 3, 96, 5)}
    targets = {part: np.arange(len(x)) * 7 % 10 for part, x in images.items()}
    files = {}
    for part, x in images.items():
        files[f"{part}_X.bin"] = x.transpose(0, 1, 3, 2).tobytes()  # column by column
        files[f"{part}_y.bin"] = (targets[part] + 1).astype(np.uint8).tobytes()
    inner = "stl10_binary"
    others = {"unlabeled_X.bin": draw(2, 3, 96, 6).tobytes(), "class_names.txt": b"airplane\n"}
    archive = pack({f"{inner}/{name}": data for name, data in (others | files).items()})

    def publish(patch: Patch) -> None:
        train = [[name, md5(files[name])] for name in ("train_X.bin", "train_y.bin")]
        unlabelled = ["unlabeled_X.bin", md5(others["unlabeled_X.bin"])]
        patch.setattr(datasets.STL10, "train_list", [*train, unlabelled])
        patch.setattr(datasets.STL10, "test_list", [[name, md5(files[name])] for name in ("test_X.bin", "test_y.bin")])
        patch.setattr(datasets.STL10, "tgz_md5", md5(archive))

    return ImageSet("stl10", "STL10", images, targets, files, inner, {"stl10_binary.tar.gz": archive}, publish)


def _medmnist(name: str, class_name: str, channels: int, targets: dict[str, np.ndarray]) -> ImageSet:
    images = {part: draw(len(y), channels, 28, 7 + i) for i, (part, y) in enumerate(targets.items())}
    arrays = {}
    for part, x in images.items():
        theirs = "val" if part == "validation" else part
        arrays[f"{theirs}_images"] = x[:, 0] if channels == 1 else x.transpose(0, 2, 3, 1)
        arrays[f"{theirs}_labels"] = targets[part].reshape(len(x), -1).astype(np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    files = {f"{name}.npz": stream.getvalue()}

    def publish(patch: Patch) -> None:
        import medmnist  # here because it writes to the home folder: to that of the test

        patch.setitem(medmnist.INFO[name], "MD5", md5(stream.getvalue()))

    return ImageSet(name, class_name, images, targets, files, "", files, publish)


@cache
def chestmnist() -> ImageSet:
    rng = np.random.default_rng(0)
    sizes = {"train": 60, "validation": 14, "test": 20}
    targets = {part: rng.integers(0, 2, (n, 14)) for part, n in sizes.items()}
    return _medmnist("chestmnist", "ChestMNIST", 1, targets)


@cache
def pathmnist() -> ImageSet:
    sizes = {"train": 63, "validation": 18, "test": 20}
    return _medmnist("pathmnist", "PathMNIST", 3, {part: np.arange(n) * 2 % 9 for part, n in sizes.items()})


MAKERS: dict[str, Callable[[], ImageSet]] = {
    "chestmnist": chestmnist,
    "cifar10": cifar10,
    "fashion_mnist": fashion_mnist,
    "mnist": mnist,
    "pathmnist": pathmnist,
    "stl10": stl10,
    "svhn": svhn,
}
