"""download: whole and right, or not at all."""

from __future__ import annotations

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from circuitsim.data.download import download
from circuitsim.errors import DataError, ParameterError

BODY = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
MD5 = hashlib.md5(BODY).hexdigest()


def fetch(folder, *servers, md5=MD5, progress=False):
    download([("f.gz", md5)], [getattr(s, "url", s) for s in servers], folder, progress=progress)
    return (folder / "f.gz").read_bytes()


def left(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def test_a_file_arrives_whole_in_a_folder_made_for_it(tmp_path, mirror):
    server = mirror({"f.gz": BODY})
    assert fetch(tmp_path / "new" / "folder", server) == BODY
    assert left(tmp_path / "new" / "folder") == ["f.gz"]
    assert server.asked == [("/f.gz", None)]


def test_servers_are_told_who_asks(tmp_path, mirror):
    server = mirror({"f.gz": BODY})
    fetch(tmp_path, server)
    assert server.agents == {"circuitsim"}


def test_a_file_that_is_there_is_not_fetched_again(tmp_path, mirror):
    server = mirror({"f.gz": BODY})
    fetch(tmp_path, server)
    fetch(tmp_path, server)
    assert len(server.asked) == 1


def test_a_part_is_resumed_where_it_stopped(tmp_path, mirror):
    (tmp_path / "f.gz.part").write_bytes(BODY[:123_456])
    server = mirror({"f.gz": BODY})
    assert fetch(tmp_path, server) == BODY
    assert server.asked == [("/f.gz", "bytes=123456-")]
    assert left(tmp_path) == ["f.gz"]


def test_a_part_is_fetched_anew_from_a_server_that_cannot_resume(tmp_path, mirror):
    (tmp_path / "f.gz.part").write_bytes(BODY[:123_456])
    server = mirror({"f.gz": BODY}, ranges=False)
    assert fetch(tmp_path, server) == BODY
    assert server.asked == [("/f.gz", "bytes=123456-")]


@pytest.mark.parametrize("stale", [b"x" * 1000, BODY + b"x"], ids=["other bytes", "too long"])
def test_a_part_of_another_file_is_thrown_away_and_fetched_anew(tmp_path, mirror, stale):
    (tmp_path / "f.gz.part").write_bytes(stale)
    server = mirror({"f.gz": BODY})
    assert fetch(tmp_path, server) == BODY
    assert [span for _, span in server.asked] == [f"bytes={len(stale)}-", None]


def test_a_part_that_is_whole_only_takes_its_name(tmp_path, mirror):
    (tmp_path / "f.gz.part").write_bytes(BODY)
    assert fetch(tmp_path, mirror({"f.gz": BODY})) == BODY


def test_a_wrong_checksum_is_refused_and_leaves_nothing(tmp_path, mirror):
    server = mirror({"f.gz": BODY})
    with pytest.raises(
        DataError, match=f"cannot download f.gz:\n  {server.url}f.gz: the file has md5 {MD5} instead of 0"
    ):
        fetch(tmp_path, server, md5="0" * 32)
    assert left(tmp_path) == []
    assert len(server.asked) == 1


def test_a_truncated_body_is_refused_and_can_be_resumed(tmp_path, mirror):
    with pytest.raises(DataError, match="the connection ended after 200000 of 300000 bytes; load again to resume"):
        fetch(tmp_path, mirror({"f.gz": BODY}, cut=100_000))
    assert left(tmp_path) == ["f.gz.part"]
    server = mirror({"f.gz": BODY})
    assert fetch(tmp_path, server) == BODY
    assert server.asked == [("/f.gz", "bytes=200000-")]


def test_the_next_mirror_is_tried_when_one_fails(tmp_path, mirror):
    empty, wrong, cut, good = mirror({}), mirror({"f.gz": b"no"}), mirror({"f.gz": BODY}, cut=9), mirror({"f.gz": BODY})
    assert fetch(tmp_path, empty, wrong, cut, good) == BODY
    assert good.asked == [("/f.gz", f"bytes={len(BODY) - 9}-")]


def test_every_mirrors_reason_is_told(tmp_path, mirror):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DataError, match=rf"(?s){dead}f.gz: .*refused.*HTTP Error 404"):
            fetch(tmp_path, dead, mirror({}))


def test_a_mirror_that_is_not_a_web_address_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="must be an http:// or https:// URL .got 'file:///etc/'"):
        fetch(tmp_path, "file:///etc/")
    assert left(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, mirror):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write to .*file/raw"):
        fetch(tmp_path / "file" / "raw", mirror({"f.gz": BODY}))


def test_progress_is_shown_on_the_error_stream_only_when_asked_for(tmp_path, mirror, capsys):
    server = mirror({"f.gz": BODY})
    fetch(tmp_path / "quiet", server)
    assert capsys.readouterr() == ("", "")
    fetch(tmp_path / "loud", server, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "f.gz" in err
    assert "300.0/300.0 kB" in err


def test_calls_at_the_same_time_do_not_spoil_the_file(tmp_path, mirror):
    server = mirror({"f.gz": BODY})
    with ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(lambda _: fetch(tmp_path, server), range(4)))
    assert bodies == [BODY] * 4
    assert len(server.asked) == 1
