"""Weight matrices as NumPy arrays, and which of them belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import ParameterError

Array = NDArray[np.float64]


def matrix(weights: Any, replica: int, owner: str) -> Array:
    """One replica's weights, shape ``[post, pre]``.

    Args:
        weights: ``[replica, post, pre]`` or ``[post, pre]``: array, tensor on any device, sparse or not.
        owner: what to call it in an error.
    Raises:
        ParameterError: another shape, no such replica, values that are not finite.
    """
    for method in ("detach", "to_dense", "cpu", "toarray"):  # tensors, then SciPy; nothing of either is imported
        weights = getattr(weights, method)() if hasattr(weights, method) else weights
    array = np.asarray(weights, dtype=float)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ParameterError(f"{owner} must have shape [replica, post, pre] or [post, pre] (got {list(array.shape)})")
    if array.ndim == 3:
        if not 0 <= replica < len(array):
            raise ParameterError(f"{owner} has {len(array)} replicas; replica {replica} is not among them")
        array = array[replica]
    if not np.isfinite(array).all():
        raise ParameterError(f"{owner} holds {np.sum(~np.isfinite(array))} values that are not finite")
    return array


def mirror_of(name: str) -> str | None:
    """The name of the projection that runs back: "V1" -> "Vt1"; None if the name has another form."""
    parts = re.fullmatch(r"([A-Za-z]+?)(\d*)", name)
    return f"{parts[1]}t{parts[2]}" if parts else None


def groups(shapes: Mapping[str, tuple[int, ...]], projections: Sequence[str] | None) -> list[tuple[str, ...]]:
    """What is shown in one row: a projection with its mirror where it has one, else alone.

    Args:
        shapes: name -> ``(post, pre)``.
        projections: the names wanted, or None for all; a mirror comes along with its partner.
    Raises:
        ParameterError: a name that is not among `shapes`, which the message lists.
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
    """cos(a, b) of two matrices of one shape; NaN if one is all zero."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else float("nan")
