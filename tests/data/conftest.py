"""What the data tests share: real files of small data sets, a local mirror, and a machine without data."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import circuitsim.data.mnist as mnist_module
from tests.data.image_sets import MAKERS, ImageSet


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and cache and no data folder, whatever the developer has; returns the cache."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CIRCUITSIM_DATA", raising=False)
    monkeypatch.delenv("CIRCUITSIM_MIRROR", raising=False)
    return tmp_path / "cache" / "circuitsim"


@pytest.fixture(params=sorted(MAKERS))
def image_set(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """Each published image set in turn."""
    made = MAKERS[request.param]()
    made.publish(monkeypatch)
    return made


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """No system package of Fashion-MNIST."""
    bare = replace(mnist_module.FASHION_MNIST, system=())
    monkeypatch.setattr(mnist_module, "FASHION_MNIST", bare)


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes in the idx format: magic number, big-endian shape, values."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def idx_files() -> Callable[..., dict[str, bytes]]:
    """A function that makes the four gzipped files of a small image set."""

    def make(n_train: int = 240, n_test: int = 40, pixels: int = 28, seed: int = 0) -> dict[str, bytes]:
        rng = np.random.default_rng(seed)
        files = {}
        for part, n in (("train", n_train), ("t10k", n_test)):
            files[f"{part}-images-idx3-ubyte.gz"] = idx_bytes(rng.integers(0, 256, (n, pixels, pixels)))
            files[f"{part}-labels-idx1-ubyte.gz"] = idx_bytes(np.arange(n) % 10)
        return {name: gzip.compress(data, compresslevel=1, mtime=0) for name, data in files.items()}

    return make


@pytest.fixture
def write() -> Callable[..., Path]:
    """A function that writes files into a folder, unpacked where asked, and returns the folder."""

    def into(files: dict[str, bytes], folder: Path, *, unpacked: bool = False) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = folder / name
            if unpacked:
                path.with_suffix("").write_bytes(gzip.decompress(data))
            else:
                path.write_bytes(data)
        return folder

    return into


class Mirror:
    """A web server on 127.0.0.1.

    Args:
        files: what it serves; ranges: whether it resumes; cut: how many bytes of a body it drops at the end.

    Attributes:
        url: where it is; asked: pairs (path, Range header or None), in order; agents: who asked.
    """

    def __init__(self, files: dict[str, bytes], *, ranges: bool = True, cut: int = 0) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.agents: set[str] = set()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                span = self.headers.get("Range")
                mirror.asked.append((self.path, span))
                mirror.agents.add(self.headers["User-Agent"])
                body = files.get(self.path.lstrip("/"))
                if body is None:
                    return self.send_error(404)
                start = int(span.removeprefix("bytes=").rstrip("-")) if span and ranges else 0
                if start >= len(body):
                    return self.send_error(416)
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                self.wfile.write(body[start : len(body) - cut])

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror() -> Iterator[Callable[..., Mirror]]:
    """A function that starts a `Mirror`; all are stopped after the test."""
    started = []

    def start(files: dict[str, bytes], *, ranges: bool = True, cut: int = 0) -> Mirror:
        started.append(Mirror(files, ranges=ranges, cut=cut))
        return started[-1]

    yield start
    for server in started:
        server.stop()
