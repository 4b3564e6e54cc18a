"""Weight matrices as NumPy arrays: their order, their pairs, and receptive fields as tiles."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import ParameterError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def matrix(weights: Any, replica: int, owner: str) -> Array:
    """The weights of one replica, ``[post, pre]``, of an array or tensor ``[replica, post, pre]`` or ``[post, pre]``,
    dense or sparse, on any device. Errors call it `owner`."""
    for method in ("detach", "to_dense", "cpu", "toarray"):  # of torch and SciPy, without importing either
        weights = getattr(weights, method)() if hasattr(weights, method) else weights
    array = np.asarray(weights, dtype=float)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ParameterError(f"{owner} must have shape [replica, post, pre] or [post, pre] (got {list(array.shape)})")
    if array.ndim == 3:
        if not 0 <= replica < len(array):
            raise ParameterError(f"{owner} has {len(array)} replicas; replica {replica} is not among them")
        array = array[replica]
    if not np.isfinite(array).all():
        raise ParameterError(f"{owner} has {np.sum(~np.isfinite(array))} values that are not finite")
    return array


def groups(shapes: Mapping[str, tuple[int, ...]], projections: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Group projections, or those to show, into rows: each stands with its mirror if it has one, else alone. The shapes
    are ``(post, pre)``."""
    owners: dict[str, tuple[str, ...]] = {}
    for name in shapes:
        mirror = re.sub(r"([A-Za-z]+)(\d*)", r"\1t\2", name, count=1)  # in the opposite direction, Vt1 of V1
        if re.fullmatch(r"[A-Za-z]+\d*", name) and shapes.get(mirror, ())[::-1] == shapes[name]:
            owners |= {name: (name, mirror), mirror: (name, mirror)}
    wanted = list(shapes) if projections is None else list(projections)
    for name in wanted:
        if name not in shapes:
            raise ParameterError(f"there are no weights of projection {name!r} (known: {', '.join(shapes)})")
    return list(dict.fromkeys(owners.get(name, (name,)) for name in wanted))


def limit_of(weights: Array) -> float:
    """Where a colour scale ends: at the 99.5th percentile of the absolute weights that are finite; 1 if that is 0."""
    finite = np.abs(weights[np.isfinite(weights)])
    return (float(np.percentile(finite, 99.5)) if finite.size else 0.0) or 1.0


def cosine(a: Array, b: Array) -> float:
    """The cosine of two matrices of the same shape, NaN if one of them is 0."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else float("nan")


def neuron_order(matrix: Array) -> tuple[Indices, Indices]:
    """Sort postsynaptic and presynaptic neurons by their entries in the leading singular vectors.

    Neurons that contribute to the matrix's strongest component with the same sign become neighbours, so that a matrix
    of low rank looks smooth: positive in two opposite corners and negative in the other two. The singular vectors' sign
    is chosen so that the largest entry of the left one is positive. If the matrix is 0, the order does not change.
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


def mosaic(weights: Array, shape: tuple[int, int], owner: str, columns: int | None = None) -> Array:
    """Arrange one tile (height, width) per postsynaptic neuron in a grid, row by row. Gaps and empty places are NaN.

    By default the grid is nearly square.
    """
    height, width = shape
    n, n_pre = weights.shape
    if height * width != n_pre:
        raise ParameterError(f"images[{owner!r}] = {shape} has {height * width} pixels, needs {n_pre}, one per neuron")
    columns = columns or math.ceil(math.sqrt(n))
    tiles = np.full((math.ceil(n / columns) * columns, height + 1, width + 1), np.nan)
    tiles[:n, :height, :width] = weights.reshape(n, height, width)
    rows = tiles.reshape(-1, columns, height + 1, width + 1).swapaxes(1, 2)
    return rows.reshape(-1, columns * (width + 1))[:-1, :-1]
