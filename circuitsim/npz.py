"""Reading and writing .npz files of named arrays, without pickle."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.errors import ArchiveError
from circuitsim.files import write_atomically
from circuitsim.memory import machine_bytes

HARMLESS = 2**26  # bytes of arrays that may always be read, however small their file is
LARGEST_RATIO = 64  # the most that other arrays may be compressed; weights hardly are, unless most synapses are absent
NPY: Any = np.lib.format  # has no types
HEADERS = {(1, 0): NPY.read_array_header_1_0, (2, 0): NPY.read_array_header_2_0}  # by version


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a compressed file atomically, or uncompressed if `read_npz` would otherwise refuse it.

    The members are written one by one, because the arguments of `numpy.savez` take the names "file" and "allow_pickle".
    """
    if objects := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
        raise ArchiveError(f"{path}: array {objects[0]!r} holds objects, which only pickle could store")
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    NPY.write_array(file, np.asarray(array), allow_pickle=False)
        if not _is_suspicious(archive, buffer.getbuffer().nbytes):
            break
    write_atomically(path, buffer.getvalue())


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read all arrays of a file, after checking the sizes that it declares.

    Raises:
        ArchiveError: the file is missing or damaged, contains pickled objects, or is far larger unpacked than packed.
    """
    try:
        with Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            _check_sizes(archive, os.fstat(file.fileno()).st_size)
            return {_name(member): _array(archive, member) for member in archive.infolist()}
    except FileNotFoundError:
        raise ArchiveError(f"{path}: there is no such file") from None
    except _TooLarge as error:
        raise ArchiveError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError, EOFError, MemoryError, NotImplementedError, RuntimeError,
            AttributeError, TypeError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error) as error:  # fmt: skip
        raise ArchiveError(f"{path}: truncated, or not an .npz file of arrays ({error})") from None


class _TooLarge(Exception):
    """The arrays of a file take far more memory than the file suggests, or than there is."""


def _check_sizes(archive: zipfile.ZipFile, packed: int) -> None:
    """Refuse a file that would fill the memory. No array is read for this, because the declared sizes hold.

    zipfile reads no more of a member than its declared size, and `_array` refuses a member whose header does not
    declare an array of just that size.
    """
    declared, there = _declared(archive), machine_bytes()
    if there is not None and declared > there:
        raise _TooLarge(f"its arrays take {declared:,} bytes, but there are {there:,} bytes of memory")
    if _is_suspicious(archive, packed):
        raise _TooLarge(
            f"its arrays take {declared:,} bytes, {declared // packed} times the size of the file; if you trust it, "
            "read it with numpy.load and write it again with numpy.savez, which does not compress"
        )
    name, n = Counter(map(_name, archive.infolist())).most_common(1)[0] if archive.infolist() else ("", 0)
    if n > 1:
        raise ValueError(f"it holds array {name!r} {n} times")


def _declared(archive: zipfile.ZipFile) -> int:
    return sum(member.file_size for member in archive.infolist())


def _is_suspicious(archive: zipfile.ZipFile, packed: int) -> bool:
    return _declared(archive) > max(HARMLESS, LARGEST_RATIO * packed)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        read_header = HEADERS.get(NPY.read_magic(file))
        if read_header is None:
            raise ValueError(f"array {_name(member)!r} has an unknown version of NumPy's format")
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError(f"array {_name(member)!r} holds pickled objects, which are never loaded")
        size, held = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
        if min(shape, default=0) < 0 or size != held:
            raise ValueError(f"array {_name(member)!r} declares {size:,} bytes (shape {shape}), but holds {held:,}")
        file.seek(0)
        return NPY.read_array(file, allow_pickle=False)


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")
