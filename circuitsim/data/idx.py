"""Files in the idx format of MNIST, read by torchvision and checked first."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path

from torch import Tensor

from circuitsim.errors import DataError

MAGIC = {"images": bytes([0, 0, 8, 3]), "labels": bytes([0, 0, 8, 1])}  # 8: unsigned bytes; 3 or 1: number of axes
CHUNK = 1 << 16


def read_images(path: Path) -> Tensor:
    """Images uint8 ``[sample, row, column]`` of an idx3 file, gzipped or not.

    Raises:
        DataError: the file is of another format, or shorter or longer than its header says.
    """
    from torchvision.datasets.mnist import read_image_file  # here because it takes a second to import

    with _checked(path, "images") as plain:
        images: Tensor = read_image_file(str(plain))
    return images


def read_labels(path: Path) -> Tensor:
    """Labels int64 ``[sample]`` of an idx1 file, gzipped or not; raises as `read_images` does."""
    from torchvision.datasets.mnist import read_label_file

    with _checked(path, "labels") as plain:
        labels: Tensor = read_label_file(str(plain))
    return labels


@contextmanager
def _checked(path: Path, content: str) -> Iterator[Path]:
    """An uncompressed file with the content of `path`, found sound; never beside `path`, which may be read-only."""
    with tempfile.TemporaryDirectory(prefix="circuitsim-") as folder:
        plain, fault = path, ""
        try:
            if path.suffix == ".gz":
                plain = Path(folder) / path.stem
                fault = _decompress(path, plain)
            _check(plain, path, content, fault)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        yield plain


def _decompress(path: Path, plain: Path) -> str:
    """Write to `plain` what can be decompressed, as its header tells the size to expect; return what went wrong."""
    unpacker = zlib.decompressobj(wbits=31)  # 31: gzip
    with path.open("rb") as packed, plain.open("wb") as unpacked:
        try:
            for chunk in iter(partial(packed.read, CHUNK), b""):
                unpacked.write(unpacker.decompress(chunk))
        except zlib.error as fault:
            return str(fault)
    return "" if unpacker.eof else "its gzip stream ends early"


def _check(plain: Path, path: Path, content: str, fault: str) -> None:
    """Raise DataError unless there is no fault and `plain` is as long as its header says, with one sample or more."""
    magic, size = MAGIC[content], plain.stat().st_size
    n_axes = magic[-1]
    with plain.open("rb") as file:
        header = file.read(4 + 4 * n_axes)
    if header[:4] != magic and not (fault and len(header) < 4):
        raise DataError(
            f"{path} is not an idx file of {content}: it should begin with the bytes {magic.hex(' ')} "
            f"(got {header[:4].hex(' ') or 'nothing'}); replace it"
        )
    if len(header) < 4 + 4 * n_axes:
        raise DataError(f"{path} is damaged ({fault or 'it ends within its header'}): delete it and load again")
    shape = struct.unpack(f">{n_axes}I", header[4:])
    expected = len(header) + prod(shape)
    if fault or size != expected or prod(shape) == 0:
        raise DataError(
            f"{path} is damaged: {content} of shape {list(shape)} take {expected} bytes uncompressed, "
            f"but {size} were found{fault and f' ({fault})'}; delete it and load again"
        )
