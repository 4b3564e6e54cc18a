"""Downloads through pooch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

CHUNK = 1 << 16


def download(files: dict[str, str], mirrors: Sequence[str], folder: Path, *, progress: bool) -> list[str]:
    """Download the files that `folder` lacks or holds with a wrong checksum, from the first mirror that has them.

    Args:
        files: maps file names to MD5 checksums.
        mirrors: the URLs of folders that hold the files.
        folder: the target folder, which is created if needed.
        progress: whether to show progress bars on standard error.

    Returns:
        The errors, one per mirror, for the first file that could not be downloaded; an empty list on success.
    """
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
