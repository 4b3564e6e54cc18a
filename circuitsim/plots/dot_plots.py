"""Dots: the replicas of several runs, condition by condition, and motif counts beside those of random graphs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from circuitsim.analysis.census import Census
from circuitsim.errors import ParameterError
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.style import plain_axes, run_style

POINTS = 13.0
# In inches: the width of a panel, the height of a row, margins, and the gap between panels.
PANEL, ROW, TOP, BOTTOM, RIGHT, BETWEEN = 4.6, 0.42, 0.55, 0.75, 0.3, 0.35
TITLE = 0.4
LOST = "a replica ran away"
APART = 0.26  # the largest distance between runs within a row, relative to the row
N_RUNS = 4  # of a row of this height; with more of them, rows are higher
KEY = 0.28  # the height of a line of the legend, in inches
MIDDLE = (0.025, 0.975)  # of the counts in random graphs, the quantiles between which a bar runs


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
        plain_axes(axes, POINTS - 1, xlabel)
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
    figure.headline(left, 0.12, title, POINTS + 2)
    return save(figure, path)


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


def census(
    counts: Mapping[str, Mapping[str, Sequence[Census]]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Plot motif counts relative to the mean of random graphs with the same degrees, with one panel per motif.

    Each replica is a dot on a grey bar that spans the middle 95 % of its random graphs: a dot to the right of its bar
    is a motif that is over-represented. A replica whose random graphs contain no motif is left out.

    Args:
        counts: motif -> label of a circuit -> its censuses, one per replica.
    Raises:
        ParameterError: `counts` or a motif in it is empty.
    Example:
        >>> import numpy as np
        >>> from circuitsim.analysis import square_census
        >>> from circuitsim.plots import census
        >>> masks = {kind: np.eye(6) for kind in ("W", "V", "Vt", "Wt")}
        >>> figure = census({"square": {"one to one": [square_census(masks, n_random=20)]}})
    """
    check_path(path)
    if not counts or not all(counts.values()):
        raise ParameterError("counts is empty; it maps motifs to censuses by circuit")
    labels = list(dict.fromkeys(label for circuits in counts.values() for label in circuits))
    figure = Picture(3.6 * len(counts) + 2.8, 0.55 * len(labels) + 1.6)
    for c, (motif, circuits) in enumerate(counts.items()):
        axes = figure.panel(2.7 + c * 3.6, 0.85, 0.88 * 3.6, 0.55 * len(labels))
        for row, label in enumerate(labels):
            _draw_row(axes, row, label, [census for census in circuits.get(label, ()) if census.random.mean() > 0])
        plain_axes(axes, POINTS - 2, "count / mean of random graphs", title=motif)
        axes.axvline(1.0, color="#777777", linewidth=1.0, zorder=1)
        axes.set_yticks(range(len(labels)), labels if c == 0 else [""] * len(labels))
        axes.set_ylim(len(labels) - 0.5, -0.5)
    figure.headline(0.1, 0.35, title, POINTS + 1, va="baseline")
    return save(figure, path)


def _draw_row(axes: Axes, row: int, label: str, censuses: Sequence[Census]) -> None:
    """Draw the censuses of one circuit. The dots have the gid "observed:label", the bars "random:label"."""
    at = row + 0.6 * ((np.arange(len(censuses)) + 0.5) / max(len(censuses), 1) - 0.5)
    bars = [np.quantile(census.random / census.random.mean(), MIDDLE) for census in censuses]
    low, high = np.reshape(bars, (-1, 2)).T
    axes.hlines(at, low, high, color="#C8C8C8", linewidth=5.0, gid=f"random:{label}")
    ratios = [census.ratio for census in censuses]
    axes.plot(ratios, at, "o", color=run_style(row)[0], markersize=6, gid=f"observed:{label}")
