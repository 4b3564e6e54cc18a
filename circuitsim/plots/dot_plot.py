"""Dots: the replicas of several runs, condition by condition."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.plots.band import plain_axes, run_style
from circuitsim.plots.picture import Picture, check_path, save, text_size

POINTS = 13.0
# In inches: the width of a panel, the height of a row, margins, and the gap between panels.
PANEL, ROW, TOP, BOTTOM, RIGHT, BETWEEN = 4.6, 0.42, 0.55, 0.75, 0.3, 0.35
TITLE = 0.4
LOST = "a replica ran away"
APART = 0.26  # the largest distance between runs within a row, relative to the row
N_RUNS = 4  # of a row of this height; with more of them, rows are higher
KEY = 0.28  # the height of a line of the legend, in inches


def dots(
    panels: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Plot every replica as a small dot, with the mean as a large one and a bar of one (sample) standard deviation.

    Args:
        panels: what a panel shows, such as "test accuracy, %" -> row -> run -> values of shape ``[replica]``. Rows run
            from top to bottom, and all panels have the same ones. A value is NaN if the replica ran away; it is left
            out, and a cross at the left edge shows that there was one.
    Raises:
        ParameterError: there are no panels or rows, panels differ in their rows, or values are not a list.
    Example:
        >>> from circuitsim.plots import dots
        >>> rows = {"random": {"SAL": [96.1, 95.8], "frozen": [95.9, 96.3]}, "excitatory": {"SAL": [95.0, 94.1]}}
        >>> figure = dots({"accuracy, %": rows})
    """
    check_path(path)
    rows, runs = _checked(panels)
    left = 0.3 + max(text_size(row, POINTS)[0] for row in rows)
    width = left + len(panels) * PANEL + (len(panels) - 1) * BETWEEN + RIGHT
    n_keys = len(runs) + 1  # with that of replicas that ran away
    columns = min(n_keys, max(1, int((width - left) / (0.7 + max(text_size(run, POINTS)[0] for run in (*runs, LOST))))))
    heading = TITLE if title else 0.0
    top = heading + TOP + KEY * (math.ceil(n_keys / columns) - 1)
    row_height, apart = ROW * max(1.0, len(runs) / N_RUNS), min(APART, 0.9 / len(runs))
    height = top + len(rows) * row_height + BOTTOM
    figure = Picture(width, height)
    lost = False
    for c, (xlabel, found) in enumerate(panels.items()):
        axes = figure.panel(left + c * (PANEL + BETWEEN), top, PANEL, len(rows) * row_height)
        plain_axes(axes, POINTS - 1)
        for y, row in enumerate(rows):
            for run, values in found[row].items():
                k = runs.index(run)
                at = y + (k - (len(runs) - 1) / 2) * apart
                lost |= _draw(axes, np.asarray(values, dtype=float), at, f"{row}:{run}", run_style(k)[0])
            if y % 2:
                axes.axhspan(y - 0.5, y + 0.5, color="#F4F4F4", zorder=0, linewidth=0)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), rows if c == 0 else [""] * len(rows), size=POINTS)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(xlabel, size=POINTS)
    handles = [
        Line2D([], [], color=run_style(k)[0], marker="o", markersize=8, linewidth=2, label=run)
        for k, run in enumerate(runs)
    ]
    if lost:
        handles.append(Line2D([], [], color="#555555", marker="x", linestyle="", label=LOST))
    figure.legend(
        handles=handles, loc="upper left", ncols=columns, frameon=False, fontsize=POINTS,
        bbox_to_anchor=(left / width, 1 - (heading + 0.05) / height), borderaxespad=0.0,
    )  # fmt: skip
    if title:
        figure.headline(left, 0.12, title, POINTS + 2)
    save(figure, path)
    return figure


def _checked(panels: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]]) -> tuple[list[str], list[str]]:
    """The rows and the runs, in the order in which they are first named."""
    rows = list(next(iter(panels.values()), {}))
    if not rows:
        raise ParameterError("panels is empty; it maps what a panel shows to rows, and rows to runs and their values")
    for name, found in panels.items():
        if list(found) != rows:
            raise ParameterError(f"panels[{name!r}] has the rows {list(found)}, but the first panel has {rows}")
        for row, values in ((row, v) for row, runs in found.items() for v in runs.values()):
            if np.ndim(values) != 1:
                raise ParameterError(
                    f"panels[{name!r}][{row!r}]: needs values [replica] (got an array with {np.ndim(values)} axes)"
                )
    return rows, list(dict.fromkeys(run for found in panels.values() for runs in found.values() for run in runs))


def _draw(axes: Axes, values: np.ndarray, y: float, name: str, colour: str) -> bool:
    """Draw the replicas of one run in one row, and return whether one ran away."""
    left = values[np.isfinite(values)]
    axes.plot(left, np.full(len(left), y), "o", color=colour, markersize=4, alpha=0.4, linewidth=0, gid=f"dots:{name}")
    if len(left):
        mean, spread = left.mean(), left.std(ddof=1) if len(left) > 1 else 0.0
        axes.plot([mean - spread, mean + spread], [y, y], color=colour, linewidth=2, gid=f"spread:{name}")
        axes.plot([mean], [y], "o", color=colour, markersize=8, gid=f"mean:{name}")
    if len(left) < len(values):
        axes.plot([0.012], [y], "x", color=colour, markersize=7, markeredgewidth=2, clip_on=False,
                  transform=axes.get_yaxis_transform(), gid=f"lost:{name}")  # fmt: skip
    return len(left) < len(values)
