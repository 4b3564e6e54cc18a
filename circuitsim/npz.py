"""Named arrays in one .npz file. Nothing is unpickled."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np

from circuitsim.errors import ArchiveError
from circuitsim.files import write_atomically


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays, compressed; the file is there whole or not at all.

    Raises:
        ArchiveError: it cannot be written; the old file is untouched then.
    """
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    write_atomically(path, buffer.getvalue())


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All arrays of a file.

    Raises:
        ArchiveError: there is no such file, it is damaged, or an array would have to be unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array without a name")
            return {name: found[name] for name in found.files}
    except FileNotFoundError:
        raise ArchiveError(f"{path}: there is no such file") from None
    except (OSError, ValueError, KeyError, EOFError, MemoryError, NotImplementedError, RuntimeError,
            AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise ArchiveError(f"{path}: truncated, or not an .npz file of arrays ({error})") from None
