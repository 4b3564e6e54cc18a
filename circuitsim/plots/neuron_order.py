"""An order of neurons that makes the structure of a weight matrix visible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def neuron_order(matrix: Array) -> tuple[Indices, Indices]:
    """Sort postsynaptic and presynaptic neurons by their entries in the leading singular vectors.

    Neurons that contribute to the matrix's strongest component with the same sign become neighbours, so that a matrix
    of low rank looks smooth: positive in two opposite corners and negative in the other two.

    Args:
        matrix: shape ``[post, pre]``.
    Returns:
        Index arrays of shape ``[post]`` and ``[pre]``. The singular vectors' sign is chosen so that the largest entry
        of the left one is positive. If the matrix is 0, the order does not change.
    """
    if not matrix.any():
        return np.arange(matrix.shape[0]), np.arange(matrix.shape[1])
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    u, v = left[:, 0], right[0]
    sign = 1.0 if u[np.argmax(np.abs(u))] >= 0 else -1.0
    return np.argsort(sign * u, kind="stable"), np.argsort(sign * v, kind="stable")


def thinned(order: Indices, at_most: int) -> Indices:
    """At most `at_most` of the neurons, evenly spaced in their order."""
    if len(order) <= at_most:
        return order
    kept: Indices = order[np.unique(np.round(np.linspace(0, len(order) - 1, at_most)).astype(int))]
    return kept
