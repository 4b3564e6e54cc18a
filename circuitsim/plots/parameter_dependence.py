"""Parameter sweeps: a number of several circuits as a function of a parameter."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.plots.band import band, plain_axes, run_style
from circuitsim.plots.picture import Picture, check_path, save
from circuitsim.plots.series import Series

POINTS = 13.0
CLEARANCE = 0.05  # the least distance of two labels, relative to the axis's width


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
        band(axes, Series(at, found), label, k)
        lost = ~np.isfinite(found).all(axis=1)
        ran_away |= bool(lost.any())
        shift = 1.0 - 0.045 * k  # one row of crosses for each run
        axes.plot(
            at[lost], np.full(lost.sum(), shift), "x", color=run_style(k)[0], markersize=8, markeredgewidth=2,
            transform=axes.get_xaxis_transform(), clip_on=False, gid=f"lost:{label}",
        )  # fmt: skip
    if logarithmic:
        axes.set_xscale("log")
    plain_axes(axes, POINTS - 1)
    if logarithmic:
        every = sorted({float(v) for x, _ in runs.values() for v in np.asarray(x, dtype=float)})
        axes.set_xticks(every, _labels(every))
        axes.minorticks_off()
    axes.set_xlabel(xlabel, size=POINTS)
    axes.set_ylabel(ylabel, size=POINTS)
    figure.text(0.11, 0.955, title, size=POINTS + 1, weight="bold")
    if ran_away:
        figure.text(0.75, 0.2, "× : a replica ran away\n(left out of the mean)", size=POINTS - 2, color="#555555")
    axes.legend(frameon=False, fontsize=POINTS - 1, loc="upper left", bbox_to_anchor=(1.02, 1.0))
    save(figure, path)
    return figure


def _labels(values: list[float]) -> list[str]:
    """Labels of a logarithmic axis, with two digits each, and "" where a label would overlap the previous one."""
    labels, last = [], -np.inf
    span = np.log(values[-1] / values[0]) or 1.0
    for value in values:
        at = np.log(value / values[0]) / span
        labels.append(f"{value:.2g}" if at - last >= CLEARANCE else "")
        last = at if labels[-1] else last
    return labels
