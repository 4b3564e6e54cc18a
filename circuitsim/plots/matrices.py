"""Weight matrices as NumPy arrays, and the pairs of projections that mirror each other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import ParameterError

Array = NDArray[np.float64]


def matrix(weights: Any, replica: int, owner: str) -> Array:
    """The weights of one replica, shape ``[post, pre]``.

    Args:
        weights: an array or a tensor on any device, dense or sparse, of shape ``[replica, post, pre]`` or
            ``[post, pre]``.
        replica: the replica's index.
        owner: the name of the weights in errors.
    Raises:
        ParameterError: the shape is wrong, there is no such replica, or values are not finite.
    """
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


def mirror_of(name: str) -> str | None:
    """The name of the projection in the opposite direction, such as "Vt1" for "V1"; None for names of another form."""
    parts = re.fullmatch(r"([A-Za-z]+?)(\d*)", name)
    return f"{parts[1]}t{parts[2]}" if parts else None


def groups(shapes: Mapping[str, tuple[int, ...]], projections: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Group projections into rows: each stands with its mirror if it has one, else alone.

    Args:
        shapes: name -> ``(post, pre)``.
        projections: the names to show, or None for all. A projection's mirror is shown too.
    Raises:
        ParameterError: a name is not among `shapes`; the message lists those that are.
    """
    pairs = {
        name: (name, mirror)
        for name in shapes
        if (mirror := mirror_of(name)) in shapes and mirror is not None and shapes[name] == shapes[mirror][::-1]
    }
    owners = {mirror: pair for pair in pairs.values() for mirror in pair}
    wanted = list(shapes) if projections is None else list(projections)
    for name in wanted:
        if name not in shapes:
            raise ParameterError(f"there are no weights of projection {name!r} (known: {', '.join(shapes)})")
    return list(dict.fromkeys(owners.get(name, (name,)) for name in wanted))


def cosine(a: Array, b: Array) -> float:
    """The cosine of two matrices of the same shape, NaN if one of them is 0."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else float("nan")
