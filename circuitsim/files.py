"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from circuitsim.errors import ArchiveError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell of a full disk or an unwritable path by name.

    Raises:
        ArchiveError: what is inside raised an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename in map(str, path.parents):
            reason += f": {error.filename}"
        raise ArchiveError(
            f"{path}: cannot be written ({reason}): free some space, or choose another place; what was there before "
            "is as it was"
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under another name, sync it, rename it: a crash leaves the old file or the new one.

    Args:
        path: of the file; folders are made as needed.
        content: of the file.
    Raises:
        ArchiveError: it cannot be written; the old file is untouched then.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the rename itself
        finally:
            os.close(folder)


def check_writable(folder: Path) -> None:
    """Make the folder, and write something into it, before work is begun whose results shall go there.

    Raises:
        ArchiveError: it cannot be made, or nothing can be written.
    """
    write_atomically(folder / ".writable", bytes(4096))
    (folder / ".writable").unlink()


def remove_parts(path: Path) -> None:
    """Remove what killed processes left of this file half written."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)
