"""The published files of a data set, found or downloaded, and used only if their checksums are correct."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from circuitsim.data.source import Request
from circuitsim.errors import ArchiveError, DataError
from circuitsim.files import write_atomically

Mirrors = str | Sequence[str] | None
CHUNK = 1 << 16
LARGEST = 2**29  # bytes; more than any published file that is packed


@dataclass(frozen=True)
class PublishedFiles:
    """The files of a data set, and their possible locations. Checksums are keyed by the names of files."""

    name: str  # circuitsim's name for the data set
    class_name: str  # of the class that reads the files
    md5s: dict[str, str]  # of the files that the class reads
    mirrors: Sequence[str]  # the URLs of folders to download from
    packed: dict[str, str] = field(default_factory=dict)  # of the .gz or .tar.gz files that hold them, if there are any
    inner: str = ""  # the subfolder in which the class keeps the files, such as "raw"
    system: Sequence[Path] = ()  # the folders in which other packages keep the files
    advice: str = ""  # another way to get the files, as the last sentence of an error message

    def obtain(self, request: Request, mirrors: Mirrors) -> Path:
        """Return a folder that holds all files with correct checksums.

        The first location that has all files is used. A damaged file is an error, except in the cache, where it is
        downloaded again. Packed files are unpacked into the cache, because their own folder may be read-only. `mirrors`
        take precedence over those in $CIRCUITSIM_MIRROR, and these over the published ones.
        """
        problems = []
        for place in self._places(request.folder):
            try:
                found = self._open(place)
            except DataError as fault:
                if not (request.download and place.is_relative_to(cache_folder())):
                    raise
                problems.append(str(fault))
            else:
                if found is not None:
                    return found
        target = (request.folder or cache_folder()) / self.class_name / self.inner
        if request.download:
            urls = [mirrors] if isinstance(mirrors, str) else mirrors
            urls = urls or os.environ.get("CIRCUITSIM_MIRROR", "").split() or self.mirrors
            failures = download(self.packed or self.md5s, urls, target, progress=request.progress)
            if not failures:
                return self._unpack(target) if self.packed else target
            problems += failures
        else:
            problems.append("downloading is off (download=False)")
        raise DataError(
            f"{self.name} is missing and could not be fetched: " + "\n  ".join(problems) + "\n"
            f"Put {', '.join(self.packed or self.md5s)} into {target}.{self.advice}"
        )

    def _places(self, folder: Path | None) -> Iterator[Path]:
        named = os.environ.get("CIRCUITSIM_DATA")
        for root in (folder, Path(named).expanduser() if named else None, cache_folder()):
            if root is not None:
                for outer in (self.class_name, self.name, self.name.replace("_", "-"), ""):
                    yield from (root / outer / self.inner, root / outer)
        yield from self.system

    def _open(self, place: Path) -> Path | None:
        """Return the folder to read from if `place` holds the files, packed or not; otherwise None."""
        if _holds(place, self.md5s):
            for name, md5 in self.md5s.items():
                _check(place / name, md5_of(place / name), md5)
            return place
        return self._unpack(place) if self.packed and _holds(place, self.packed) else None

    def _unpack(self, place: Path) -> Path:
        """Unpack the files into the cache, unless it already holds the contents of the published archives."""
        cache = cache_folder() / self.class_name / self.inner
        if _matches(place, self.packed) and _matches(cache, self.md5s):
            return cache
        missing = set(self.md5s)
        for path in (place / name for name in self.packed):
            try:
                for name, read in _members(path):
                    if name in missing:
                        content = read(LARGEST)  # whatever is larger has another checksum
                        # only the content is checked, because packages and users may compress files differently
                        _check(path, hashlib.md5(content).hexdigest(), self.md5s[name])
                        write_atomically(cache / name, content)
                        missing.remove(name)
            except (OSError, EOFError, zlib.error, tarfile.TarError) as fault:
                raise DataError(f"{path} cannot be unpacked ({fault}): replace or delete it, and load again") from fault
            except ArchiveError as fault:
                raise DataError(f"{path} cannot be unpacked: {fault} ($XDG_CACHE_HOME moves the cache)") from fault
        if missing:
            raise DataError(f"{place} holds no {', '.join(sorted(missing))} in {', '.join(self.packed)}")
        return cache


def download(files: dict[str, str], mirrors: Sequence[str], folder: Path, *, progress: bool) -> list[str]:
    """Download the files (name -> MD5) that `folder` lacks or holds with a wrong checksum, from the first mirror that
    has them. Return the errors, one per mirror, for the first file that could not be downloaded."""
    import pooch

    pooch.get_logger().setLevel("INFO" if progress else "WARNING")
    # some servers reject the default user agent, and some declare files ending in .gz as encoded
    headers = {"User-Agent": "circuitsim", "Accept-Encoding": "identity"}
    hooks = {"response": lambda response, **_: response.raw.headers.discard("Content-Encoding")}
    fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=CHUNK, headers=headers, hooks=hooks)
    for name, md5 in files.items():
        reasons = []
        for mirror in mirrors:
            url = f"{mirror.rstrip('/')}/{name}"
            try:
                pooch.retrieve(url, f"md5:{md5}", fname=name, path=folder, downloader=fetch)
                break
            except (OSError, ValueError) as fault:
                reasons.append(f"{url}: {fault}")
        else:
            return reasons
    return []


def cache_folder() -> Path:
    import pooch  # late: only data sets with files need it

    return Path(pooch.os_cache("circuitsim"))


def md5_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as fault:
        raise DataError(f"{path} cannot be read: {fault}") from fault


def _holds(place: Path, names: Iterable[str]) -> bool:
    return all((place / name).is_file() for name in names)


def _matches(place: Path, md5s: dict[str, str]) -> bool:
    return _holds(place, md5s) and all(md5_of(place / name) == md5 for name, md5 in md5s.items())


def _check(path: Path, found: str, md5: str) -> None:
    if found != md5:
        raise DataError(
            f"{path} is damaged, truncated or a different file ({path.stat().st_size} bytes, content with md5 "
            f"{found} instead of {md5}): replace or delete it, and load again"
        )


def _members(path: Path) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield the name and a reading function for each file in a .tar.gz archive, or for the one in a .gz file."""
    if not path.name.endswith(".tar.gz"):
        with gzip.open(path) as file:
            yield path.stem, file.read
        return
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is not None:
                yield PurePosixPath(member.name).name, stream.read
