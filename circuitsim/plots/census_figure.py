"""Motif counts beside those of random graphs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuitsim.analysis.census import Census
from circuitsim.errors import ParameterError
from circuitsim.plots.band import plain_axes, run_style
from circuitsim.plots.picture import Picture, check_path, save

POINTS = 13.0
MIDDLE = (0.025, 0.975)  # the quantiles of the random graphs between which a bar runs


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
        plain_axes(axes, POINTS - 2)
        axes.axvline(1.0, color="#777777", linewidth=1.0, zorder=1)
        axes.set_yticks(range(len(labels)), labels if c == 0 else [""] * len(labels))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlabel("count / mean of random graphs", size=POINTS - 1)
        axes.set_title(motif, size=POINTS, weight="bold", loc="left")
    figure.headline(0.1, 0.35, title, POINTS + 1, va="baseline")
    save(figure, path)
    return figure


def _draw_row(axes: Axes, row: int, label: str, censuses: Sequence[Census]) -> None:
    """Draw the censuses of one circuit. The dots have the gid "observed:label", the bars "random:label"."""
    at = row + 0.6 * ((np.arange(len(censuses)) + 0.5) / max(len(censuses), 1) - 0.5)
    bars = [np.quantile(census.random / census.random.mean(), MIDDLE) for census in censuses]
    low, high = np.reshape(bars, (-1, 2)).T
    axes.hlines(at, low, high, color="#C8C8C8", linewidth=5.0, gid=f"random:{label}")
    ratios = [census.ratio for census in censuses]
    axes.plot(ratios, at, "o", color=run_style(row)[0], markersize=6, gid=f"observed:{label}")
