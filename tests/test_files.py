"""Files are replaced as a careful user would: through links, with their permissions, or not at all."""

import os
import stat
from pathlib import Path

import pytest

import circuitsim as cs
from circuitsim.files import remove_parts, write_atomically
from motifs import sal


def savers():
    """Every way to save something to a path of one's own, by suffix."""
    circuit = cs.compile(sal([3, 2, 2]), device="cpu")
    probe = cs.WeightProbe()
    probe.call("weights", circuit, cs.History(), 0.0)
    history = cs.History()
    history.add(step=1, epoch=1.0, split="test", metric="loss", values=[1.0])
    return {
        "circuit.safetensors": circuit.save,
        "history.csv": history.save,
        "weights.npz": lambda path: cs.write_weights(circuit, path),
        "recorded.npz": probe.kept.save,
        "connectome.graphml": lambda path: cs.write_connectome(circuit.connectome(), path),
        "motif.json": lambda path: cs.write_motif(circuit.motif, path),
        "figure.png": circuit.motif.draw,
    }


@pytest.mark.parametrize(("name", "save"), savers().items())
def test_links_and_permissions_are_kept_by_everything_that_saves(name, save, tmp_path):
    away, here = tmp_path / "away", tmp_path / "here"
    away.mkdir(), here.mkdir()
    target, link, relative = away / f"real_{name}", here / f"absolute_{name}", here / name
    link.symlink_to(target)
    relative.symlink_to(Path("..") / "away" / target.name)
    save(relative)  # what a link points to need not exist yet
    size = target.stat().st_size
    for mode in (0o600, 0o664):
        target.write_bytes(b"old")
        target.chmod(mode)
        save(link)
        assert target.stat().st_size == size > len(b"old")
        assert stat.S_IMODE(target.stat().st_mode) == mode
    assert relative.is_symlink() and link.is_symlink()
    assert sorted(os.listdir(here)) == sorted([link.name, name]) and os.listdir(away) == [target.name]


def test_a_new_file_has_the_permissions_that_the_user_gives_to_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_file_that_another_user_owns_stays_theirs(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "theirs"
    path.write_bytes(b"old")
    os.chown(path, 1234, 4321)
    write_atomically(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid, path.read_bytes()) == (1234, 4321, b"new")


def test_what_may_not_be_replaced_is_not(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    for name, reason in (
        ("pipe", "not a file"),
        ("device", "not a file"),
        ("loop", "symbolic links"),
        ("folder", "Is a dir"),
    ):
        with pytest.raises(cs.ArchiveError, match=rf"{name}: cannot be written \(.*{reason}"):
            write_atomically(tmp_path / name, b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode) and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    path = tmp_path / "protected"
    path.write_bytes(b"old")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != path)  # root may write anything
    with pytest.raises(cs.ArchiveError, match="write-protected"):
        write_atomically(path, b"x")
    assert path.read_bytes() == b"old" and not list(tmp_path.glob(".*"))


def test_leftovers_are_removed_where_the_file_is(tmp_path):
    (tmp_path / "away").mkdir()
    left = tmp_path / "away" / ".run.123.part"
    left.write_bytes(b"half")
    (tmp_path / "link").symlink_to(tmp_path / "away" / "run")
    remove_parts(tmp_path / "link")
    assert not left.exists()
