"""The published files of a data set: found, or else downloaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from circuitsim.data.archive import unpack
from circuitsim.data.checksum import verify
from circuitsim.data.download import download
from circuitsim.data.folders import cache_folder, find_files
from circuitsim.data.source import Request
from circuitsim.errors import DataError

Mirrors = str | Sequence[str] | None


@dataclass(frozen=True)
class FileSet:
    """What to look for, and where to get it.

    Args:
        name, class_name: circuitsim's and the reader's name of the data set.
        md5s: name of each file -> its md5 as published.
        mirrors: URLs that a name is put behind.
        inner: the folder that the reader has the files in, such as "raw"; "" for none.
        archive: the pair (name, md5) of the .tar.gz that holds the files in the folder `inner`; None where each
            file is published by itself.
        system: folders that others may have put the files in.
        advice: another way to get them.
    """

    name: str
    class_name: str
    md5s: dict[str, str]
    mirrors: Sequence[str]
    inner: str = ""
    archive: tuple[str, str] | None = None
    system: tuple[Path, ...] = ()
    advice: str = ""

    def obtain(self, request: Request, mirrors: Mirrors) -> dict[str, Path]:
        """The path of each file, all in one folder; downloaded where they are missing, and where that is allowed.

        Args:
            mirrors: the user's, which win over $CIRCUITSIM_MIRROR, which wins over the published ones.

        Raises:
            DataError: the message names the files, where to put them, and why they could not be fetched.
        """
        found = self._find(request)
        if found is not None:
            return found
        root = self._root(request)
        target = root if self.archive else root / self.inner
        reason = "downloading is off (download=False)"
        if request.download:
            wanted = [mirrors] if isinstance(mirrors, str) else mirrors
            wanted = wanted or os.environ.get("CIRCUITSIM_MIRROR", "").split() or self.mirrors
            remote = [self.archive] if self.archive else list(self.md5s.items())
            try:
                download(remote, wanted, target, progress=request.progress)
            except DataError as fault:
                reason = str(fault)
        found = self._find(request)
        if found is None:
            missing = [file for file in self.md5s if not (root / self.inner / file).exists()]
            files = ", ".join(missing)
            if self.archive:
                files = f"{self.archive[0]}, or the folder {self.inner} with {files},"
            raise DataError(
                f"{self.name} is missing and could not be fetched: {reason}\nPut {files} into {target}.{self.advice}"
            )
        return found

    def obtain_verified(self, request: Request, mirrors: Mirrors) -> Path:
        """The folder of the files; raises as `obtain` does, and DataError where a file has not its published md5."""
        paths = self.obtain(request, mirrors)
        for file, path in paths.items():
            verify(path, self.md5s[file])
        return next(iter(paths.values())).parent

    def _root(self, request: Request) -> Path:
        """The folder to write to."""
        return (request.folder or cache_folder()) / self.class_name

    def _find(self, request: Request) -> dict[str, Path] | None:
        """The files, unpacked first where only their archive is there."""
        found = self._look_for(list(self.md5s), request)
        if found is None and self.archive is not None:
            name, md5 = self.archive
            packed = self._look_for([name], request)
            if packed is not None:
                folder = self._root(request) / self.inner
                unpack(packed[name], md5, list(self.md5s), folder, progress=request.progress)
                found = self._look_for(list(self.md5s), request)
        return found

    def _look_for(self, files: Sequence[str], request: Request) -> dict[str, Path] | None:
        return find_files(self.name, self.class_name, files, request.folder, self.system, self.inner)
