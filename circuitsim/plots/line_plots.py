"""Lines: a quantity of several runs over epochs or as a function of a parameter, and spectra of eigenvalues."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.history import History
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.series import Series, band, check_runs, choose, run_label, series
from circuitsim.plots.style import plain_axes, run_style

POINTS = 13.0
WIDTH, HEIGHT = 6.2, 4.4  # size of the axes in inches; they are higher if the labels need it
LINE = 1.3 * POINTS / 72  # the distance between labels, in inches
CLEARANCE = 0.05  # the least distance of two labels of a logarithmic axis, relative to its width
FLOOR = 1e-12  # the smallest eigenvalue that is shown


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
    plain_axes(axes, POINTS - 1, "epochs", metric.replace("_", " ") if ylabel is None else ylabel)
    if title:
        axes.set_title(title, size=POINTS + 2, weight="bold", loc="left")
    if ax is not None:
        axes.legend(frameon=False, fontsize=POINTS - 1)
    else:
        _label_ends(axes)
    figure = axes.get_figure(root=True)
    assert figure is not None
    return save(figure, path)


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


def dependence(
    runs: Mapping[str, tuple[ArrayLike, ArrayLike]],
    path: str | os.PathLike[str] | None = None,
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    logarithmic: bool = True,
) -> Figure:
    """Plot the mean over replicas with a band of one (sample) standard deviation, and a cross where any ran away.

    Args:
        runs: label -> (x of shape ``[point]``, values of shape ``[point, replica]``). A value is NaN if the replica ran
            away; the mean is over the others.
        xlabel, ylabel: labels of the axes.
        logarithmic: whether the horizontal axis is logarithmic.
    Raises:
        ParameterError: there are no runs, shapes do not match, or x is not positive on a logarithmic axis.
    Example:
        >>> from circuitsim.plots import dependence
        >>> runs = {"SAL": ([8, 16, 32], [[0.80, 0.82], [0.90, 0.91], [0.95, 0.94]])}
        >>> figure = dependence(runs, xlabel="width of the descending stream", ylabel="accuracy")
    """
    check_path(path)
    if not runs:
        raise ParameterError("runs is empty; it maps labels to (x, values)")
    figure = Picture(8.0, 5.0)
    axes = figure.add_axes((0.11, 0.14, 0.62, 0.74))
    ran_away = False
    for k, (label, (x, values)) in enumerate(runs.items()):
        at, found = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
        if found.ndim != 2 or len(at) != len(found):
            raise ParameterError(
                f"runs[{label!r}]: needs x [point] and values [point, replica] (got shapes {at.shape}, {found.shape})"
            )
        if logarithmic and (at <= 0).any():
            raise ParameterError(
                f"runs[{label!r}]: x must be positive on a logarithmic axis (got {at.min():g}); pass logarithmic=False"
            )
        order = np.argsort(at, kind="stable")
        at, found = at[order], found[order]
        band(axes, Series(at, found), label, k)
        lost = ~np.isfinite(found).all(axis=1)
        ran_away |= bool(lost.any())
        shift = 1.0 - 0.045 * k  # one row of crosses for each run
        axes.plot(
            at[lost], np.full(lost.sum(), shift), "x", color=run_style(k)[0], markersize=8, markeredgewidth=2,
            transform=axes.get_xaxis_transform(), clip_on=False, gid=f"lost:{label}",
        )  # fmt: skip
    plain_axes(axes, POINTS - 1, xlabel, ylabel)
    if logarithmic:
        axes.set_xscale("log")
        every = sorted({float(v) for x, _ in runs.values() for v in np.asarray(x, dtype=float)})
        axes.set_xticks(every, _labels(every))
        axes.minorticks_off()
    figure.text(0.11, 0.955, title, size=POINTS + 1, weight="bold")
    if ran_away:
        figure.text(0.75, 0.2, "× : a replica ran away\n(left out of the mean)", size=POINTS - 2, color="#555555")
    axes.legend(frameon=False, fontsize=POINTS - 1, loc="upper left", bbox_to_anchor=(1.02, 1.0))
    return save(figure, path)


def _labels(values: list[float]) -> list[str]:
    """Labels of a logarithmic axis, with two digits each, and "" where a label would overlap the previous one."""
    labels, last = [], -np.inf
    span = np.log(values[-1] / values[0]) or 1.0
    for value in values:
        at = np.log(value / values[0]) / span
        labels.append(f"{value:.2g}" if at - last >= CLEARANCE else "")
        last = at if labels[-1] else last
    return labels


def spectra(
    values: Mapping[str, Mapping[str, ArrayLike]],
    path: str | os.PathLike[str] | None = None,
    *,
    mark: int | None = None,
    title: str = "",
) -> Figure:
    """Plot eigenvalues, largest first, on a logarithmic axis, with a line for each circuit's mean over replicas.

    Replicas with an eigenvalue that is not finite ran away: they are left out of the mean, and the legend says so.

    Args:
        values: site -> label -> eigenvalues of shape ``[replica, eigenvalue]`` in any order.
        mark: a rank; a vertical line separates it from the next one.
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
    lost: dict[str, int] = {}
    n = len(values)
    figure = Picture(4.2 * n + 2.6, 4.4)
    width = 1.0 / (n + 0.75)
    for c, (site, runs) in enumerate(values.items()):
        axes = figure.add_axes(((c + 0.2) * width, 0.15, 0.72 * width, 0.66))
        for label, found in runs.items():
            table = np.atleast_2d(np.asarray(found, dtype=float))
            kept = table[np.isfinite(table).all(axis=1)]
            lost[label] = max(lost.get(label, 0), len(table) - len(kept))
            ordered = np.sort(kept, axis=1)[:, ::-1].mean(axis=0) if len(kept) else np.full(table.shape[1], np.nan)
            colour, line = run_style(labels.index(label))
            rank, shown = np.arange(1, len(ordered) + 1), np.maximum(ordered, FLOOR)
            (drawn[label],) = axes.plot(rank, shown, color=colour, linestyle=line, linewidth=2.2)
            drawn[label].set(gid=f"line:{site}:{label}")
        axes.set_yscale("log")
        plain_axes(axes, POINTS - 2, "rank", title=site)
        if mark is not None:
            axes.axvline(mark + 0.5, color="#777777", linewidth=1.0)
    texts = [f"{label}\n({lost[label]} ran away, left out)" if lost[label] else label for label in drawn]
    axes.legend(
        list(drawn.values()), texts, frameon=False, fontsize=POINTS - 2, loc="upper left", bbox_to_anchor=(1.02, 1.0)
    )
    figure.text(0.01, 0.93, title, size=POINTS + 1, weight="bold")
    return save(figure, path)
