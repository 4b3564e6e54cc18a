"""The curve of one run: a line for the mean over replicas, and a band of one standard deviation on either side."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from circuitsim.history import History
from circuitsim.plots.series import Series
from circuitsim.plots.style import RUN_COLOURS, RUN_LINES, Dashes


def band(axes: Axes, run: Series, label: str, k: int, width: float = 2.4) -> None:
    """Draw run number `k`, which determines its colour and line style. Artists have gids "line:label" and "band:label".

    The band is drawn if there are several replicas. Where no replica has a value, there is a gap.
    """
    colour, line = run_style(k)
    mean, spread = run.mean, run.spread
    if run.values.shape[1] > 1:
        axes.fill_between(
            run.epochs, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0, gid=f"band:{label}"
        )
    axes.plot(
        run.epochs, mean, color=colour, linestyle=line, linewidth=width, marker="o", markevery=alone(mean), label=label,
        gid=f"line:{label}",
    )  # fmt: skip


def alone(values: np.ndarray) -> list[int]:
    """The places of finite values without a finite neighbour, which a line cannot show."""
    there = np.concatenate([[False], np.isfinite(values), [False]])
    return np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:]).tolist()


def run_style(k: int) -> tuple[str, Dashes]:
    """Colour and line style of run number `k`. The two cycles have different lengths, so that 35 runs differ."""
    return RUN_COLOURS[k % len(RUN_COLOURS)], RUN_LINES[k % len(RUN_LINES)]


def run_label(label: str, history: History) -> str:
    """The label, with the number of replicas that ran away, since the mean leaves them out."""
    n = len(history.ran_away)
    return f"{label} ({n} ran away, left out)" if n else label


def plain_axes(axes: Axes, points: float) -> None:
    """Set two spines, a light grid and readable ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E3E3E3", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=points)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
