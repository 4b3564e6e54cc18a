"""idx files: read through torchvision, and refused when damaged."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch

from circuitsim.data.idx import read_images, read_labels
from circuitsim.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
IMAGE_FILE = struct.pack(">BBBB3I", 0, 0, 8, 3, 5, 4, 3) + IMAGES.tobytes()
LABEL_FILE = struct.pack(">BBBBI", 0, 0, 8, 1, 6) + bytes([3, 1, 4, 1, 5, 9])


@pytest.mark.parametrize("packed", [False, True])
def test_images_and_labels_come_as_they_were_written(tmp_path, packed):
    pack, ending = (gzip.compress, ".gz") if packed else (bytes, "")
    (tmp_path / f"i{ending}").write_bytes(pack(IMAGE_FILE))
    (tmp_path / f"l{ending}").write_bytes(pack(LABEL_FILE))
    images, labels = read_images(tmp_path / f"i{ending}"), read_labels(tmp_path / f"l{ending}")
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert np.array_equal(images.numpy(), IMAGES)
    assert labels.tolist() == [3, 1, 4, 1, 5, 9]


def test_reading_writes_nothing_beside_the_file(tmp_path):
    (tmp_path / "i.gz").write_bytes(gzip.compress(IMAGE_FILE))
    read_images(tmp_path / "i.gz")
    assert [p.name for p in tmp_path.iterdir()] == ["i.gz"]


@pytest.mark.parametrize(
    "data",
    [IMAGE_FILE[:-1], IMAGE_FILE + b"\0", IMAGE_FILE[:16]],
    ids=["short", "long", "bare"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_another_size_than_its_header_says_is_refused(tmp_path, data, packed):
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DataError, match=rf"images(.gz)? is damaged: .* take 76 bytes .* but {len(data)} were"):
        read_images(path)


def test_a_file_that_ends_within_its_header_is_refused(tmp_path):
    (tmp_path / "images").write_bytes(IMAGE_FILE[:10])
    with pytest.raises(DataError, match="images is damaged .it ends within its header"):
        read_images(tmp_path / "images")


def test_a_truncated_gzip_file_is_refused_with_the_expected_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 60 * 28 * 28, dtype=np.uint8).tobytes()
    whole = gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 60, 28, 28) + noise)
    (tmp_path / "i.gz").write_bytes(whole[:-20_000])
    with pytest.raises(
        DataError, match=r"i.gz is damaged: images of shape \[60, 28, 28\] take 47056 bytes .*ends early"
    ):
        read_images(tmp_path / "i.gz")


@pytest.mark.parametrize("at", [-6, -2], ids=["checksum", "length"])
def test_a_gzip_file_with_a_wrong_trailer_is_refused(tmp_path, at):
    data = bytearray(gzip.compress(IMAGE_FILE))
    data[at] ^= 0xFF
    (tmp_path / "i.gz").write_bytes(data)
    with pytest.raises(DataError, match="i.gz is damaged"):
        read_images(tmp_path / "i.gz")


def test_a_gzip_file_that_lost_only_its_trailer_is_refused(tmp_path):
    (tmp_path / "i.gz").write_bytes(gzip.compress(IMAGE_FILE)[:-4])
    with pytest.raises(DataError, match=r"i.gz is damaged"):
        read_images(tmp_path / "i.gz")


def test_a_flipped_bit_inside_a_gzip_file_is_refused(tmp_path):
    data = bytearray(gzip.compress(IMAGE_FILE))
    data[len(data) // 2] ^= 0x10
    (tmp_path / "i.gz").write_bytes(data)
    with pytest.raises(DataError, match="i.gz is (damaged|not an idx file)"):
        read_images(tmp_path / "i.gz")


@pytest.mark.parametrize(
    ("data", "got"),
    [(LABEL_FILE, "00 00 08 01"), (b"<html>not found</html>", "3c 68 74 6d"), (b"", "nothing")],
    ids=["labels", "html", "empty"],
)
def test_a_file_of_another_format_is_refused(tmp_path, data, got):
    (tmp_path / "images").write_bytes(data)
    with pytest.raises(DataError, match=rf"not an idx file of images.*00 00 08 03 \(got {got}\)"):
        read_images(tmp_path / "images")


def test_a_file_named_gz_that_is_not_gzip_is_refused(tmp_path):
    (tmp_path / "labels.gz").write_bytes(LABEL_FILE)
    with pytest.raises(DataError, match="labels.gz is damaged .*incorrect header check"):
        read_labels(tmp_path / "labels.gz")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(DataError, match="labels.gz cannot be read"):
        read_labels(tmp_path / "labels.gz")


def test_a_file_without_samples_is_refused(tmp_path):
    (tmp_path / "labels").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 0))
    with pytest.raises(DataError, match="labels is damaged"):
        read_labels(tmp_path / "labels")
