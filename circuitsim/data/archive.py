"""Unpack the archive that a data set is published in."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from filelock import FileLock
from rich.console import Console

from circuitsim.data.checksum import verify
from circuitsim.errors import DataError


def unpack(archive: Path, md5: str, names: Collection[str], folder: Path, *, progress: bool) -> None:
    """Put the files `names` of a .tar.gz archive into `folder`; whatever else it holds stays in it.

    All are unpacked into ``folder.part`` first, and only then moved, each in one step. Whenever this is interrupted,
    a file in `folder` is whole, and one is still missing: the folder is not taken for a good one.

    Args:
        archive: is read, and left where it is.
        md5: its sum, verified before anything is unpacked.
        names: files that the archive holds in a folder of the same name as `folder`.
        folder: made as needed.
        progress: show on the standard error stream that something is going on.

    Raises:
        DataError: the archive is damaged, lacks a file or holds something else by that name, or `folder` cannot be
            written to.
    """
    console = Console(stderr=True, quiet=not progress)
    part = folder.with_name(folder.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / ".unpack.lock"), console.status(f"unpacking {archive.name}"):
            if all((folder / name).exists() for name in names):
                return  # another process was faster
            verify(archive, md5)
            _extract(archive, {f"{folder.name}/{name}" for name in names}, part)
            for name in names:
                (part / folder.name / name).replace(folder / name)
            shutil.rmtree(part)
    except OSError as fault:
        raise DataError(f"cannot unpack {archive} into {folder}: {fault}") from fault


def _extract(archive: Path, wanted: set[str], part: Path) -> None:
    missing = set(wanted)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = str(PurePosixPath(member.name))  # without a leading ./
                if path in missing and member.isreg():
                    tar.extract(member, part, filter="data")
                    missing.remove(path)
    except (tarfile.TarError, EOFError, zlib.error) as fault:
        raise DataError(f"{archive} is not a sound .tar.gz archive ({fault}): delete it and load again") from fault
    if missing:
        raise DataError(f"{archive} lacks {', '.join(sorted(missing))}: it is the archive of something else")
