"""unpack: all the wanted files, or a folder that nobody takes for a good one."""

from __future__ import annotations

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from circuitsim.data.archive import unpack
from circuitsim.errors import DataError
from tests.data.image_sets import md5, pack

FILES = {"a": b"A" * 5000, "b": b"B" * 3000, "c": b"C"}
GOOD = pack({f"inner/{name}": data for name, data in FILES.items()} | {"inner/big": b"D", "readme": b"E"})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out" / "inner"


def run(tmp_path, folder, data=GOOD, sum_=None):
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(data)
    unpack(archive, sum_ or md5(data), list(FILES), folder, progress=False)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def left(folder):
    return sorted(path.name for path in folder.parent.iterdir() if not path.name.startswith("."))


def test_the_wanted_files_are_unpacked_and_nothing_else(tmp_path, folder):
    run(tmp_path, folder)
    assert contents(folder) == FILES
    assert left(folder) == ["inner"]
    assert (tmp_path / "x.tar.gz").read_bytes() == GOOD


def test_paths_may_begin_with_a_dot(tmp_path, folder):
    run(tmp_path, folder, pack({f"./inner/{name}": data for name, data in FILES.items()}))
    assert contents(folder) == FILES


def test_an_archive_of_another_checksum_is_not_opened(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(tarfile, "open", lambda *args: pytest.fail("opened"))
    with pytest.raises(DataError, match=rf"x.tar.gz is damaged, cut short .*\({len(GOOD) - 9} bytes .*{md5(GOOD)}"):
        run(tmp_path, folder, GOOD[:-9], md5(GOOD))
    assert contents(folder) == {}


class Stopped(BaseException):
    """What stands for a process that ends."""


def stop_at(monkeypatch, cls, method, n):
    """Make the n-th call of a method the last one."""
    original, calls = getattr(cls, method), []

    def call(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == n:
            raise Stopped
        return original(self, *args, **kwargs)

    monkeypatch.setattr(cls, method, call)


@pytest.mark.parametrize(("cls", "method"), [(tarfile.TarFile, "extract"), (Path, "replace")])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_interrupted_call_leaves_whole_files_only_and_one_missing(tmp_path, folder, monkeypatch, cls, method, n):
    with monkeypatch.context() as patch:
        stop_at(patch, cls, method, n)
        with pytest.raises(Stopped):
            run(tmp_path, folder)
    found = contents(folder)
    assert found.items() <= FILES.items()
    assert len(found) == (n - 1 if method == "replace" else 0)
    run(tmp_path, folder)
    assert contents(folder) == FILES
    assert left(folder) == ["inner"]


def test_a_half_written_file_of_an_interrupted_call_is_never_used(tmp_path, folder):
    stale = folder.parent / "inner.part" / "inner"
    stale.mkdir(parents=True)
    (stale / "a").write_bytes(b"AAA")
    (stale / "junk").touch()
    run(tmp_path, folder)
    assert contents(folder) == FILES


def test_files_of_an_incomplete_folder_are_replaced(tmp_path, folder):
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"AAA")
    run(tmp_path, folder)
    assert contents(folder) == FILES


def test_calls_at_the_same_time_unpack_once(tmp_path, folder, monkeypatch):
    opened = []
    original = tarfile.open
    monkeypatch.setattr(tarfile, "open", lambda *args: opened.append(args) or original(*args))
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(GOOD)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: unpack(archive, md5(GOOD), list(FILES), folder, progress=False), range(4)))
    assert contents(folder) == FILES
    assert len(opened) == 1


def with_link(kind: bytes, target: str) -> bytes:
    """An archive whose a is a link."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in FILES.items():
            member = tarfile.TarInfo(f"inner/{name}")
            if name == "a":
                member.type, member.linkname = kind, target
                tar.addfile(member)
            else:
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "inner/b"])
def test_a_link_in_place_of_a_file_is_refused(tmp_path, folder, kind, target):
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(DataError, match="x.tar.gz lacks inner/a: it is the archive of something else"):
        run(tmp_path, folder, with_link(kind, target))
    assert contents(folder) == {}


def test_files_that_would_lie_outside_the_folder_stay_packed(tmp_path, folder):
    evil = {"../evil": b"!", str(tmp_path / "evil"): b"!", "inner/../../evil": b"!"}
    run(tmp_path, folder, pack(evil | {f"inner/{name}": data for name, data in FILES.items()}))
    assert contents(folder) == FILES
    assert not list(tmp_path.rglob("evil"))


def test_files_are_unpacked_through_the_filter_for_data(tmp_path, folder, monkeypatch):
    filters = []
    original = tarfile.TarFile.extract
    monkeypatch.setattr(
        tarfile.TarFile,
        "extract",
        lambda *args, **kwargs: filters.append(kwargs["filter"]) or original(*args, **kwargs),
    )
    run(tmp_path, folder)
    assert filters == ["data"] * 3


def test_an_archive_that_lacks_a_file_is_refused(tmp_path, folder):
    with pytest.raises(DataError, match="x.tar.gz lacks inner/b, inner/c"):
        run(tmp_path, folder, pack({"inner/a": b"A"}))
    assert contents(folder) == {}


@pytest.mark.parametrize("data", [b"no archive", GOOD[:60]], ids=["text", "cut"])
def test_what_is_no_archive_is_refused_even_with_the_right_checksum(tmp_path, folder, data):
    with pytest.raises(DataError, match="x.tar.gz is not a sound .tar.gz archive"):
        run(tmp_path, folder, data)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(DataError, match=f"cannot unpack {tmp_path}/x.tar.gz into {tmp_path}/out/inner"):
        run(tmp_path, tmp_path / "out" / "inner")


def test_nothing_is_printed_without_progress(tmp_path, folder, capsys):
    run(tmp_path, folder)
    assert capsys.readouterr() == ("", "")
