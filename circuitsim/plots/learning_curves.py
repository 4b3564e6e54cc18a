"""Learning curves: one quantity of several runs over epochs."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.history import History
from circuitsim.plots.band import band, plain_axes, run_label
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.series import choose, series

POINTS = 13.0
WIDTH, HEIGHT = 6.2, 4.4  # size of the axes in inches; they are higher if the labels need it
LINE = 1.3 * POINTS / 72  # the distance between labels, in inches


def curves(
    runs: Mapping[str, History],
    metric: str,
    *,
    split: str | None = None,
    site: str | None = None,
    ax: Axes | None = None,
    path: str | os.PathLike[str] | None = None,
    ylabel: str | None = None,
    title: str | None = None,
) -> Figure:
    """Plot the mean over replicas with a band of one (sample) standard deviation; each line ends in its run's name.

    Args:
        runs: label -> history. Replicas that ran away are left out, and their number is added to the label.
        metric: a metric of the histories, such as "accuracy" or "gradient_cosine".
        split: the data split; by default the only one there is, or "validation".
        site: the site in the circuit, such as "W0", which may be left out if there is only one.
        ax: axes to draw on (with a legend), or None for a new figure.
        ylabel: the label of the vertical axis; by default the metric's name.
    Raises:
        ParameterError: there are no runs, or a run lacks the metric, split or site; the message lists those that exist.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.plots import curves
        >>> history = cs.History()
        >>> for epoch in range(3):
        ...     history.add(step=epoch, epoch=epoch, split="validation", metric="accuracy", values=[0.3 * epoch])
        >>> figure = curves({"SAL": history}, "accuracy")
    """
    check_path(path)
    check_runs(runs)
    chosen = {
        run_label(name, history): series(choose(history.to_pandas(), metric, split, site, f"run {name!r}"))
        for name, history in runs.items()
    }
    axes = ax if ax is not None else _axes(list(chosen), bool(title))
    for k, (name, run) in enumerate(chosen.items()):
        band(axes, run, name, k)
    plain_axes(axes, POINTS - 1)
    axes.set_xlabel("epochs", size=POINTS)
    axes.set_ylabel(metric.replace("_", " ") if ylabel is None else ylabel, size=POINTS)
    if title:
        axes.set_title(title, size=POINTS + 2, weight="bold", loc="left")
    if ax is not None:
        axes.legend(frameon=False, fontsize=POINTS - 1)
    else:
        _label_ends(axes)
    figure = axes.get_figure(root=True)
    assert figure is not None
    save(figure, path)
    return figure


def check_runs(runs: Mapping[str, History]) -> None:
    """Raise a ParameterError if `runs` is empty or a run is not a History."""
    if not runs:
        raise ParameterError("runs is empty; it maps labels to histories, such as {'SAL': cs.fit(...)}")
    for name, history in runs.items():
        if not isinstance(history, History):
            raise ParameterError(f"runs[{name!r}] must be a History (got {type(history).__name__})")


def _axes(names: list[str], titled: bool) -> Axes:
    left, bottom, right = 0.95, 0.75, 0.35 + max(text_size(name, POINTS, True)[0] for name in names)
    top, height = 0.65 if titled else 0.3, max(HEIGHT, LINE * len(names))
    return Picture(left + WIDTH + right, bottom + height + top).panel(left, top, WIDTH, height)


def _label_ends(axes: Axes) -> None:
    """Write each line's name beside its last value. Names that would overlap are moved apart."""
    lines = [line for line in axes.get_lines() if str(line.get_gid()).startswith("line:")]
    low, high = axes.get_ylim()
    ends = []
    for line in lines:
        values = np.asarray(line.get_ydata(), dtype=float)
        finite = values[np.isfinite(values)]
        ends.append((finite[-1] - low) / (high - low) if len(finite) else 0.5)
    for line, y in zip(lines, spread_out(ends, LINE / max(HEIGHT, LINE * len(lines))), strict=True):
        axes.text(
            1.02, y, str(line.get_label()), transform=axes.transAxes, size=POINTS, color=line.get_color(),
            weight="bold", va="center", clip_on=False, gid=f"end:{line.get_label()}",
        )  # fmt: skip


def spread_out(positions: list[float], least: float) -> list[float]:
    """Move positions as little as necessary so that neighbours are at least `least` apart, and keep their order.

    They stay from 0 to 1, if there is room for them.
    """
    from sklearn.isotonic import isotonic_regression  # late: it takes a second to import

    order, apart = np.argsort(positions, kind="stable"), least * np.arange(len(positions))
    found = np.empty(len(positions))
    found[order] = (
        isotonic_regression(np.asarray(positions)[order] - apart, y_min=0.0, y_max=max(0.0, 1.0 - apart[-1])) + apart
    )
    return found.tolist()
