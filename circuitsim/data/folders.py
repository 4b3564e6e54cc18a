"""Where the files of a data set may lie."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path


def cache_folder() -> Path:
    """The only folder that is written to unasked: circuitsim's in the user's cache ($XDG_CACHE_HOME, ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "circuitsim"


def find_files(
    name: str, class_name: str, files: Sequence[str], folder: Path | None, system: Sequence[Path], inner: str = ""
) -> dict[str, Path] | None:
    """The path of each file, from the first folder that holds all of them; None where no folder does.

    Folders are tried in this order: the user's `folder`, $CIRCUITSIM_DATA, the cache, the system's. In each, files
    may lie in a folder named after the data set, or directly in it; in each of these in the folder `inner`
    (``FashionMNIST/raw``), or directly. idx files may be compressed or not. All come from one folder, as MNIST and
    Fashion-MNIST give their files the same names.

    Args:
        name, class_name: circuitsim's and torchvision's name of the data set.
        files: names; those of idx files end in ``-ubyte.gz``.
        folder: the folder that the user named.
        system: folders of system packages, which hold the files directly.
        inner: the folder that torchvision has the files in; "" for none.
    """
    for place in _places(name, class_name, folder, system, inner):
        found = {file: path for file in files for path in _variants(place / file) if path.is_file()}
        if len(found) == len(files):
            return found
    return None


def _variants(path: Path) -> tuple[Path, ...]:
    if path.name.endswith("-ubyte.gz"):
        return path, path.with_suffix("")  # the last that exists wins: uncompressed is faster to read
    return (path,)


def _places(name: str, class_name: str, folder: Path | None, system: Sequence[Path], inner: str) -> Iterator[Path]:
    named = os.environ.get("CIRCUITSIM_DATA")
    for root in (folder, Path(named).expanduser() if named else None, cache_folder()):
        if root is not None:
            for place in (root / class_name, root / name, root / name.replace("_", "-"), root):
                yield from (place / inner, place)
    yield from system
