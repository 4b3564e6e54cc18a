"""Write weights as NumPy arrays to one .npz file, and read them back."""

from __future__ import annotations

import os

import numpy as np

from circuitsim.engine import Circuit
from circuitsim.errors import ArchiveError, check_kind
from circuitsim.export.interchange.graph_file import check_suffix
from circuitsim.npz import read_npz, write_npz

SUFFIXES = (".npz",)


def write_weights(circuit: Circuit, path: str | os.PathLike[str]) -> None:
    """Write the weights of all projections as dimensionless arrays ``[replica, post, pre]``, keyed by projection.

    Args:
        circuit: the circuit, which is not changed. Sparse projections are written as dense arrays; a connectome keeps
            them sparse.
        path: a file name that ends with .npz. Missing folders are created.
    Raises:
        ParameterError: the suffix is not .npz.
        ArchiveError: the file cannot be written. A file that existed before is left unchanged.
    Example:
        >>> import circuitsim as cs, numpy as np, tempfile, pathlib
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([3, 2, 2]), replicas=4)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.npz"
        >>> cs.write_weights(circuit, path)
        >>> np.load(path)["W0"].shape
        (4, 2, 3)
        >>> circuit.set_weights("W0", cs.read_weights(path)["W0"])
    """
    check_kind("write_weights", circuit, Circuit, "cs.compile(motif) makes one")
    checked = check_suffix(path, SUFFIXES)
    arrays = {}
    for p in circuit.motif.projections:
        weights = circuit.weights(p.name)
        arrays[p.name] = (weights.to_dense() if weights.is_sparse_csr else weights).cpu().numpy()
    write_npz(checked, arrays)


def read_weights(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read weights that `write_weights` wrote. For an example see there.

    Args:
        path: a file name that ends with .npz.
    Returns:
        Dimensionless arrays of shape ``[replica, post, pre]``, keyed by projection.
    Raises:
        ParameterError: the suffix is not .npz.
        ArchiveError: the file does not exist, or an array in it is not finite or has another number of axes.
    """
    checked = check_suffix(path, SUFFIXES)
    arrays = read_npz(checked)
    for name, array in arrays.items():
        if array.dtype.kind != "f" or array.ndim != 3 or not np.isfinite(array).all():
            raise ArchiveError(
                f"{checked}: {name!r} must hold finite floating-point numbers, shape [replica, post, pre] "
                f"(got {array.dtype}, shape {list(array.shape)})"
            )
    return arrays
