"""MD5 sums: whether a file is the one that was published."""

from __future__ import annotations

import hashlib
from pathlib import Path

from circuitsim.errors import DataError


def md5_of(path: Path) -> str:
    """The MD5 sum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def verify(path: Path, md5: str) -> None:
    """Raise DataError unless the file at `path` can be read and has the MD5 sum `md5`."""
    try:
        found = md5_of(path)
    except OSError as fault:
        raise DataError(f"{path} cannot be read: {fault}") from fault
    if found != md5:
        raise DataError(
            f"{path} is damaged, cut short or another file ({path.stat().st_size} bytes with md5 {found} "
            f"instead of {md5}): delete it and load again"
        )
