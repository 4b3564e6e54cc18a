"""Fetch files from mirrors, resuming and verifying."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from circuitsim.data.checksum import md5_of
from circuitsim.errors import DataError, ParameterError

TIMEOUT_S = 30
CHUNK = 1 << 16


def download(files: Sequence[tuple[str, str]], mirrors: Sequence[str], folder: Path, *, progress: bool) -> None:
    """Put each file into `folder`, from the first mirror that has it whole.

    A file grows as ``name.part`` and takes its name in one step once its checksum is right, so a file that is
    there is whole. What an earlier call left in ``name.part`` is resumed.

    Args:
        files: pairs (name, md5 in hexadecimal); files that are there already are skipped.
        mirrors: URLs that a name is put behind.
        folder: made as needed.
        progress: show a bar on the standard error stream.

    Raises:
        ParameterError: a mirror is not an http or https URL.
        DataError: a file can be had from no mirror; it tells the reason for each of them.
    """
    for mirror in mirrors:
        if not mirror.startswith(("http://", "https://")):
            raise ParameterError(f"a mirror must be an http:// or https:// URL (got {mirror!r})")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # two processes that append to one .part would spoil it
        with FileLock(folder / ".download.lock"), bar:
            for name, md5 in files:
                if not (folder / name).exists():
                    _fetch_from_any(name, md5, mirrors, folder, bar)
    except OSError as fault:
        raise DataError(f"cannot write to {folder}: {fault}") from fault


def _fetch_from_any(name: str, md5: str, mirrors: Sequence[str], folder: Path, bar: Progress) -> None:
    reasons = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{name}"
        try:
            return _fetch(url, folder / name, md5, bar)
        except (OSError, HTTPException, DataError) as fault:
            reasons.append(f"{url}: {fault or type(fault).__name__}")
    raise DataError(f"cannot download {name}:\n  " + "\n  ".join(reasons or ["no mirror is known"]))


def _fetch(url: str, target: Path, md5: str, bar: Progress) -> None:
    part = target.with_name(target.name + ".part")
    while True:
        resumed = part.exists()
        _transfer(url, part, bar)
        found = md5_of(part)
        if found == md5:
            part.replace(target)
            return
        part.unlink()
        if not resumed:  # a stale .part deserves a second try, a whole body does not
            raise DataError(f"the file has md5 {found} instead of {md5}")


def _transfer(url: str, part: Path, bar: Progress) -> None:
    """Append what `part` lacks, or write it anew where the server cannot resume."""
    offset = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "circuitsim"} | ({"Range": f"bytes={offset}-"} if offset else {})
    request = Request(url, headers=headers)  # servers turn urllib's own name away
    try:
        response: HTTPResponse = urlopen(request, timeout=TIMEOUT_S)
    except HTTPError as fault:
        if fault.code == 416 and offset:
            return  # nothing left to send: the caller's checksum tells whether `part` is whole
        raise
    with response:
        resumes = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
        if response.status == 206 and not resumes:
            return  # another range than was asked for: the caller will find `part` wrong and start anew
        length = response.headers.get("Content-Length")
        start = offset if resumes else 0
        task = bar.add_task(part.stem, total=None if length is None else start + int(length), completed=start)
        with part.open("ab" if resumes else "wb") as file:
            for chunk in iter(partial(response.read, CHUNK), b""):
                file.write(chunk)
                bar.advance(task, len(chunk))
        received = part.stat().st_size - start
    if length is not None and received != int(length):
        raise DataError(f"the connection ended after {received} of {length} bytes; load again to resume")
