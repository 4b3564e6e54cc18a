"""Raster plots: the spikes of all populations over time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.plots.band import plain_axes
from circuitsim.plots.picture import Picture, check_path, save

POINTS = 12.0
COLOURS = {"spike": "#000000", "off": "#0072B2"}
SHADES = {"ascends": "#E69F00", "descends": "#56B4E9"}
GAP = 4  # rows between populations


def raster(
    spikes: pd.DataFrame,
    sizes: Mapping[str, int],
    path: str | os.PathLike[str] | None = None,
    *,
    trial_ms: float | None = None,
    windows_ms: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    title: str = "",
) -> Figure:
    """Draw a dot for each spike.

    Args:
        spikes: a table with the columns time_ms, population, neuron and event ("spike", or "off" for the OFF neuron of
            a pair).
        sizes: population -> number of neurons, from bottom to top.
        trial_ms: the length of a trial; lines mark its boundaries.
        windows_ms: name of a volley -> (begin, end) of each time window, which is shaded.
    Raises:
        ParameterError: a population with spikes has no size.
    Example:
        >>> import pandas as pd
        >>> from circuitsim.plots import raster
        >>> spikes = pd.DataFrame({"time_ms": [1.0, 4.5], "population": "up0", "neuron": [0, 2], "event": "spike"})
        >>> figure = raster(spikes, {"up0": 3})
    """
    check_path(path)
    if missing := sorted(set(spikes.population) - set(sizes)):
        raise ParameterError(f"raster: sizes lacks population {missing[0]!r} (known: {', '.join(sizes) or 'none'})")
    figure = Picture(9.0, 6.0)
    axes = figure.add_axes((0.09, 0.11, 0.88, 0.78))
    plain_axes(axes, POINTS - 1)
    axes.grid(visible=False)
    ticks, base = [], 0
    for name, size in sizes.items():
        of = spikes[spikes.population == name]
        for event, colour in COLOURS.items():
            rows = of[of.event == event]
            axes.plot(rows.time_ms, base + rows.neuron, ".", color=colour, markersize=2.2, gid=f"{name}:{event}")
        ticks.append((base + size / 2, f"{name}"))
        base += size + GAP
        axes.axhline(base - GAP / 2 - 0.5, color="#CCCCCC", linewidth=0.8)
    mark_time(axes, float(spikes.time_ms.max()) if len(spikes) else 0.0, trial_ms, windows_ms)
    axes.set_yticks([y for y, _ in ticks], [label for _, label in ticks], size=POINTS - 1)
    axes.set_ylim(-GAP, base)
    axes.set_xlabel("time, ms", size=POINTS)
    figure.text(0.09, 0.94, title, size=POINTS + 1, weight="bold")
    if windows_ms:
        axes.legend(frameon=False, fontsize=POINTS - 1, loc="upper right", bbox_to_anchor=(1.0, 1.1), ncols=2)
    save(figure, path)
    return figure


def mark_time(
    axes: Axes,
    until_ms: float,
    trial_ms: float | None,
    windows_ms: Mapping[str, Sequence[tuple[float, float]]] | None,
) -> None:
    """Draw the boundaries of trials, and shade the windows of volleys."""
    for name, spans in (windows_ms or {}).items():
        for k, (begin, end) in enumerate(spans):
            axes.axvspan(begin, end, color=SHADES.get(name, "#999999"), alpha=0.15, label=None if k else name, lw=0)
    if trial_ms:
        for k in range(int(until_ms // trial_ms) + 1):
            axes.axvline(k * trial_ms, color="#777777", linewidth=1.0)
