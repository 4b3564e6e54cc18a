"""Eigenvalue spectra of several circuits, with one panel per site."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.plots.band import plain_axes, run_style
from circuitsim.plots.picture import Picture, check_path, save

POINTS = 13.0
FLOOR = 1e-12  # the smallest value shown on the logarithmic axis


def spectra(
    values: Mapping[str, Mapping[str, ArrayLike]],
    path: str | os.PathLike[str] | None = None,
    *,
    mark: int | None = None,
    title: str = "",
) -> Figure:
    """Plot eigenvalues, largest first, on a logarithmic axis, with a line for each circuit's mean over replicas.

    Args:
        values: site -> label -> eigenvalues of shape ``[replica, eigenvalue]`` in any order.
        mark: a rank that a vertical line marks.
    Raises:
        ParameterError: `values` is empty.
    Example:
        >>> from circuitsim.plots import spectra
        >>> figure = spectra({"V1": {"SAL": [[1.0, 0.1, 0.01]]}}, mark=2)
    """
    check_path(path)
    if not values:
        raise ParameterError("values is empty; it maps sites to eigenvalues by circuit")
    labels = list(dict.fromkeys(label for runs in values.values() for label in runs))
    drawn: dict[str, Line2D] = {}  # one line of each circuit, for the legend
    n = len(values)
    figure = Picture(4.2 * n + 2.6, 4.4)
    width = 1.0 / (n + 0.75)
    for c, (site, runs) in enumerate(values.items()):
        axes = figure.add_axes(((c + 0.2) * width, 0.15, 0.72 * width, 0.66))
        for label, found in runs.items():
            ordered = np.sort(np.atleast_2d(np.asarray(found, dtype=float)), axis=1)[:, ::-1].mean(axis=0)
            colour, line = run_style(labels.index(label))
            rank, shown = np.arange(1, len(ordered) + 1), np.maximum(ordered, FLOOR)
            (drawn[label],) = axes.plot(rank, shown, color=colour, linestyle=line, linewidth=2.2, label=label)
            drawn[label].set(gid=f"line:{site}:{label}")
        axes.set_yscale("log")
        plain_axes(axes, POINTS - 2)
        if mark is not None:
            axes.axvline(mark + 0.5, color="#777777", linewidth=1.0)
        axes.set_xlabel("rank", size=POINTS - 1)
        axes.set_title(site, size=POINTS, weight="bold", loc="left")
    axes.legend(
        handles=list(drawn.values()), frameon=False, fontsize=POINTS - 2, loc="upper left", bbox_to_anchor=(1.02, 1.0)
    )
    figure.text(0.01, 0.93, title, size=POINTS + 1, weight="bold")
    save(figure, path)
    return figure
