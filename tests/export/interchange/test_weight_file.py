"""Weights as arrays that NumPy reads by itself."""

import pickle
import re

import numpy as np
import pytest

import circuitsim as cs
from motifs import paper_sal
from tests.test_fuzz import rich_motif


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_reads_the_weights_to_the_last_bit(dtype, tmp_path):
    circuit = cs.compile(rich_motif(), replicas=3, dtype=dtype, device="cpu")
    cs.write_weights(circuit, tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz", allow_pickle=False) as found:
        assert set(found.files) == {p.name for p in circuit.motif.projections}
        for name in found.files:
            assert found[name].dtype == dtype
            np.testing.assert_array_equal(found[name], circuit.weights(name).to_dense().numpy())


def test_another_circuit_takes_them_over(tmp_path):
    circuit, other = (cs.compile(paper_sal([4, 3, 3, 2]), seed=seed, replicas=2, device="cpu") for seed in (0, 5))
    cs.write_weights(circuit, tmp_path / "w.npz")
    for name, weights in cs.read_weights(tmp_path / "w.npz").items():
        other.set_weights(name, weights)
    x = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    assert (circuit.predict(x) == other.predict(x)).all()


class Trap:
    """What would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_bad_file_is_told_and_never_unpickled(tmp_path):
    path = tmp_path / "w.npz"
    trap = Trap(tmp_path / "sprung")
    np.savez(path, W0=np.array([trap], dtype=object))
    for content, message in (
        (path.read_bytes(), "array 'W0' holds pickled objects, which are never loaded"),
        (path.read_bytes()[:50], "truncated, or not an .npz file"),
        (pickle.dumps(trap), "truncated, or not an .npz file"),
        (b"", "truncated, or not an .npz file"),
    ):
        path.write_bytes(content)
        with pytest.raises(cs.ArchiveError, match=f"^{re.escape(str(path))}: .*{message}"):
            cs.read_weights(path)
    assert not (tmp_path / "sprung").exists()
    for array, got in ((np.ones((2, 3)), "got float64, shape .2, 3."), (np.full((1, 2, 2), np.nan), "finite"),
                       (np.ones((1, 2, 2), dtype=int), "got int64")):  # fmt: skip
        np.savez(path, W0=array)
        with pytest.raises(cs.ArchiveError, match=f"'W0' must hold finite numbers.*{got}|{got}"):
            cs.read_weights(path)
    with pytest.raises(cs.ParameterError, match="must end with one of .npz"):
        cs.read_weights(tmp_path / "w.pt")
