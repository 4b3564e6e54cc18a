"""Similarity matrices, such as W W^T and h h^T, before and after learning."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.plots.matrices import neuron_order
from circuitsim.plots.picture import Picture, check_path, save

POINTS = 13.0
PANEL, GAP, LEFT, HEAD = 2.5, 0.35, 1.1, 0.6  # inches


def similarity(
    pairs: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw a row per site, with a panel before and a panel after learning for each matrix, red positive, blue negative.

    Each matrix is scaled to a largest absolute entry of 1, to compare structure rather than size. The neurons of a row
    are sorted by the leading eigenvector of its first matrix after learning.

    Args:
        pairs: site -> name -> (before, after), each of shape ``[neuron, neuron]``, with one size for all matrices of a
            site.
    Raises:
        ParameterError: `pairs` or a site is empty, or a matrix is not square and finite or has another size.
    Example:
        >>> import numpy as np
        >>> from circuitsim.plots import similarity
        >>> figure = similarity({"up1": {"h h^T": (np.eye(4), np.ones((4, 4)))}})
    """
    check_path(path)
    if not pairs or not all(pairs.values()):
        raise ParameterError("pairs is empty; it maps sites to matrices before and after")
    columns = 2 * max(len(row) for row in pairs.values())
    figure = Picture(LEFT + columns * (PANEL + GAP), HEAD + len(pairs) * (PANEL + 0.5))
    figure.headline(0.2, 0.35, title, POINTS + 1, va="baseline")
    for r, (site, row) in enumerate(pairs.items()):
        order = neuron_order(_square(next(iter(row.values()))[1], site))[0]
        top = HEAD + r * (PANEL + 0.5) + 0.15
        figure.headline(0.2, top + PANEL / 2, site, POINTS, va="center")
        for c, (name, when, array) in enumerate(
            (name, when, array)
            for name, both in row.items()
            for when, array in zip(("before", "after"), both, strict=True)
        ):
            square = _square(array, f"{site}: {name} {when}")
            if len(square) != len(order):
                raise ParameterError(f"{site}: {name} {when} has {len(square)} neurons, others have {len(order)}")
            shown = square[np.ix_(order, order)]
            at, limit = (LEFT + c * (PANEL + GAP), top, PANEL, PANEL), float(np.abs(shown).max()) or 1.0
            figure.matrix(shown / limit, at, 1, f"{name} {when}", POINTS - 1, gid=f"{site}:{name}:{when}")
    save(figure, path)
    return figure


def _square(array: ArrayLike, owner: str) -> np.ndarray:
    found = np.asarray(array, dtype=float)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not np.isfinite(found).all():
        raise ParameterError(f"{owner} must be a square matrix of finite numbers (got shape {found.shape})")
    return found
