"""Files of arrays: what is written is read, and what a file declares is checked before it is read."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

import circuitsim as cs
from circuitsim import memory, npz
from circuitsim.npz import HARMLESS, read_npz, write_npz


def npy(array, shape=None):
    """The bytes of an array, which may declare another shape."""
    buffer = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape if shape is None else shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


def put(path, *members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("n", [10, HARMLESS // 4 + 1])
def test_mostly_absent_synapses_are_read_back_however_many(tmp_path, n):
    weights = np.full(n, np.nan, dtype=np.float32)
    weights[3] = 0.5
    arrays = {
        "weights/W0": weights.reshape(1, 1, n),
        "a": np.asfortranarray([[1, 2], [3, 4]]),
        "empty": np.zeros((0, 3)),
    }
    write_npz(tmp_path / "a.npz", arrays)
    read = read_npz(tmp_path / "a.npz")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype and read[name].flags.writeable


def test_every_name_can_be_written_and_numpy_reads_it(tmp_path):
    arrays = {name: np.full(3, k) for k, name in enumerate(("file", "allow_pickle", "arr_0", "Gewicht/ä"))}
    write_npz(tmp_path / "a.npz", arrays)
    with np.load(tmp_path / "a.npz") as found:
        assert {name: found[name].tolist() for name in found} == {name: a.tolist() for name, a in arrays.items()}


def test_objects_are_refused_and_the_file_stays(tmp_path):
    write_npz(tmp_path / "a.npz", {"a": np.ones(2)})
    with pytest.raises(cs.ArchiveError, match="a.npz: array 'b' holds objects"):
        write_npz(tmp_path / "a.npz", {"a": np.zeros(2), "b": np.array([None, "x"])})
    assert read_npz(tmp_path / "a.npz")["a"].tolist() == [1.0, 1.0]


def test_what_is_far_larger_than_its_file_is_refused_without_taking_memory(tmp_path):
    """A file of 300 KB holds 300 MB of zeros."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("replica.npy", "w") as file:
        file.write(npy(np.zeros(0), shape=(2**25,)))
        for _ in range(16):
            file.write(bytes(2**24))
    assert path.stat().st_size < 2**19
    tracemalloc.start()
    with pytest.raises(cs.ArchiveError, match=r"bomb.npz: its arrays take 268,.* bytes, \d+ times .*numpy\.savez"):
        cs.WeightHistory.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_history_without_moments_is_read_back(tmp_path):
    cs.WeightHistory(replica=2).save(tmp_path / "h.npz")
    assert cs.WeightHistory.load(tmp_path / "h.npz") == cs.WeightHistory(replica=2)


def test_what_exceeds_the_memory_is_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", W0=np.zeros(1000))
    monkeypatch.setattr(npz, "machine_bytes", lambda: 2000)
    with pytest.raises(cs.ArchiveError, match=r"take 8,\d+ bytes, but there are 2,000 bytes of memory"):
        read_npz(tmp_path / "a.npz")
    assert memory.machine_bytes() > 2**28


ONES = np.ones(4)
DAMAGED = {
    "declares more than it holds": (
        [("a.npy", npy(ONES, (10**12,)))],
        r"'a' declares 8,000,000,000,000 bytes.*holds 32",
    ),
    "declares less than it holds": ([("a.npy", npy(ONES, (3,)))], "'a' declares 24 bytes"),
    "a negative size": ([("a.npy", npy(ONES, (-2, -2)))], "'a' declares 32 bytes .shape .-2, -2.*"),
    "the same name twice": ([("a.npy", npy(ONES)), ("a.npy", npy(0 * ONES))], "it holds array 'a' 2 times"),
    "no array": ([("a.npy", b"hello, world")], "truncated, or not"),
    "a folder": ([("a/", b"")], "truncated, or not"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("members", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_contradicts_itself_is_refused(members, message, tmp_path):
    with pytest.raises(cs.ArchiveError, match=message):
        read_npz(put(tmp_path / "a.npz", *members))


def test_one_array_without_a_name_is_not_read_however_large_it_says_it_is(tmp_path):
    (tmp_path / "a.npz").write_bytes(npy(ONES, (10**12,)))
    with pytest.raises(cs.ArchiveError, match="not an .npz file of arrays"):
        read_npz(tmp_path / "a.npz")
