"""One run's curve: the mean over replicas as a line, one standard deviation either way as a band."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from circuitsim.history import History
from circuitsim.plots.series import Series
from circuitsim.plots.style import RUN_COLOURS, RUN_LINES, Dashes


def band(axes: Axes, run: Series, label: str, k: int, width: float = 2.4) -> None:
    """Draw run number `k` (which fixes its colour and line). Artists carry the gids "line:label" and "band:label".

    A band is drawn where there are several replicas; a gap is left where no replica has a value.
    """
    colour, line = run_style(k)
    mean, spread = run.mean, run.spread
    if run.values.shape[1] > 1:
        axes.fill_between(
            run.epochs, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0, gid=f"band:{label}"
        )
    marker = "o" if len(run.epochs) == 1 else ""
    axes.plot(
        run.epochs, mean, color=colour, linestyle=line, linewidth=width, marker=marker, label=label, gid=f"line:{label}"
    )


def run_style(k: int) -> tuple[str, Dashes]:
    """Colour and line of run number `k`; the two cycles have different lengths, so 35 runs differ."""
    return RUN_COLOURS[k % len(RUN_COLOURS)], RUN_LINES[k % len(RUN_LINES)]


def run_label(label: str, history: History) -> str:
    """The label, and how many replicas ran away and were held: they are part of the mean."""
    n = len({runaway.get("replica") for runaway in history.runaways})
    return f"{label} ({n} ran away)" if n else label


def plain_axes(axes: Axes, points: float) -> None:
    """Two spines, a light grid, readable ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E3E3E3", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=points)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
