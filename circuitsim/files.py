"""Reading files that may be too large, atomic file writes, and locks that end with their process."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from circuitsim.errors import ArchiveError, ParameterError
from circuitsim.memory import machine_bytes


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path that a user has given, or raise a ParameterError if it is something else."""
    if not isinstance(path, str | os.PathLike):
        raise ParameterError(f"a path must be text or a pathlib.Path (got {path!r})")
    return Path(path)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError of the body, which writes the file, into an ArchiveError that names the path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename in map(str, path.parents):
            reason += f": {error.filename}"
        raise ArchiveError(
            f"{path}: cannot be written ({reason}): free some space, or choose another path; an existing file "
            "has not been changed"
        ) from error


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: it cannot be read, or is larger than the memory, as a sparse file may be.
    """
    size, there = path.stat().st_size, machine_bytes()
    if there is not None and size > there:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes, but there are {there:,} bytes of memory")
    return path.read_bytes()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically. After a crash, either the old or the new file exists, never a partial one.

    The content is written under a temporary name, synced to disk, and renamed. Missing folders are created. A symbolic
    link stays, and the file that it points to is written; a file that exists keeps its permissions and its owner. An
    ArchiveError says why the file cannot be written; then an existing file has not been changed.
    """
    with writing(path):
        target = _behind_links(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        old = _overwritten(target)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                if old is not None:
                    with contextlib.suppress(PermissionError):  # only root may keep another user's file theirs
                        os.fchown(file.fileno(), old.st_uid, old.st_gid)
                    os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # makes the rename durable
        finally:
            os.close(folder)


def _behind_links(path: Path) -> Path:
    """The file that a chain of symbolic links leads to, which need not exist; `path` itself if it is no link."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _overwritten(path: Path) -> os.stat_result | None:
    """What the system knows of the file that is about to be replaced; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a device, pipe or socket, not a file")
    if not os.access(path, os.W_OK):  # renaming would ignore that
        raise PermissionError(errno.EACCES, "it is write-protected")
    return found


def check_writable(folder: Path) -> None:
    """Create the folder if needed, and write a test file into it."""
    write_atomically(folder / ".writable", bytes(4096))
    (folder / ".writable").unlink()


def remove_parts(path: Path) -> None:
    """Remove temporary files that killed processes left while writing this file."""
    path = _behind_links(path)
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the right to write a file. The system releases it when the process ends, even if it is killed.

    The lock is a hidden file beside `path`, which is removed at the end. A killed process leaves the file behind, but
    does not hold the lock any more. An ArchiveError says that another run, in this process or another, holds it.
    """
    path = path.resolve()  # every way to name the file leads to the same lock
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise ArchiveError(
                f"{path} is in use by another run: wait until it ends, stop it, or choose another path"
            ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)  # while the lock is held, so that it is ours
        lock.release()
