"""Receptive fields: the incoming weights of each neuron as a small image."""

from __future__ import annotations

import math

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.plots.matrices import Array


def mosaic(weights: Array, shape: tuple[int, int], owner: str, columns: int | None = None) -> Array:
    """Arrange one tile per postsynaptic neuron in a grid, row by row. Gaps and empty places are NaN.

    Args:
        weights: shape ``[post, pre]``, with pre = height * width.
        shape: (height, width) of a tile.
        owner: the projection's name, for errors.
        columns: how many tiles stand in a row; by default the grid is nearly square.
    Raises:
        ParameterError: a tile does not have as many pixels as there are presynaptic neurons.
    """
    height, width = shape
    n, n_pre = weights.shape
    if height * width != n_pre:
        raise ParameterError(f"images[{owner!r}] = {shape} has {height * width} pixels, needs {n_pre}, one per neuron")
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for k in range(n):
        y, x = (k // columns) * (height + 1), (k % columns) * (width + 1)
        sheet[y : y + height, x : x + width] = weights[k].reshape(height, width)
    return sheet
