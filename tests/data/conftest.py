"""What the data tests share: real files of small data sets, a local mirror, and a machine without data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from circuitsim.data import image_sets
from tests.data.image_sets import MAKERS, ImageSet


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and cache, no data folder and no system package, whatever the developer has; returns the cache."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CIRCUITSIM_DATA", raising=False)
    monkeypatch.delenv("CIRCUITSIM_MIRROR", raising=False)
    monkeypatch.setattr(image_sets, "DEBIAN_FASHION_MNIST", tmp_path / "package")
    return tmp_path / "cache" / "circuitsim"


@pytest.fixture(params=sorted(MAKERS))
def image_set(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """Each published image set in turn."""
    made = MAKERS[request.param]()
    made.publish(monkeypatch)
    return made


class Mirror:
    """A web server on 127.0.0.1.

    Args:
        files: what it serves; cut: how many bytes of a body it drops at the end.

    Attributes:
        url: where it is; asked: paths, in order; agents: who asked.
    """

    def __init__(self, files: dict[str, bytes], *, cut: int = 0) -> None:
        self.asked: list[str] = []
        self.agents: set[str] = set()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                mirror.agents.add(self.headers["User-Agent"])
                body = files.get(self.path.lstrip("/"))
                if body is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                if self.path.endswith("gz"):
                    self.send_header("Content-Encoding", "x-gzip")  # as some servers do, though nobody encoded it
                self.end_headers()
                self.wfile.write(body[: len(body) - cut])

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

    def start(files: dict[str, bytes], *, cut: int = 0) -> Mirror:
        started.append(Mirror(files, cut=cut))
        return started[-1]

    yield start
    for server in started:
        server.stop()
