"""An order of neurons in which assembled structure shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def neuron_order(matrix: Array) -> tuple[Indices, Indices]:
    """Postsynaptic and presynaptic neurons, sorted by their entries in the leading singular vectors.

    Neurons that take part in the matrix's largest pattern with equal sign come together, so that a matrix of low
    rank looks smooth: positive in two opposite corners, negative in the other two.

    Args:
        matrix: shape ``[post, pre]``.
    Returns:
        Index arrays of shape ``[post]`` and ``[pre]``. The sign is fixed: the largest entry is positive. Where all
        is zero, neurons stay as they are.
    """
    if not matrix.any():
        return np.arange(matrix.shape[0]), np.arange(matrix.shape[1])
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    u, v = left[:, 0], right[0]
    sign = 1.0 if u[np.argmax(np.abs(u))] >= 0 else -1.0
    return np.argsort(sign * u, kind="stable"), np.argsort(sign * v, kind="stable")


def thinned(order: Indices, at_most: int) -> Indices:
    """At most so many of the neurons, evenly spaced in their order."""
    if len(order) <= at_most:
        return order
    kept: Indices = order[np.unique(np.round(np.linspace(0, len(order) - 1, at_most)).astype(int))]
    return kept
