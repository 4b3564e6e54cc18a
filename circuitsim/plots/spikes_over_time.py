"""Spikes of all populations over time, and membranes, currents and traces of single neurons."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.export import Recording
from circuitsim.plots.picture import Picture, check_path, save
from circuitsim.plots.style import plain_axes

POINTS = 12.0
COLOURS = {"spike": "#000000", "off": "#0072B2"}
SHADES = {"ascends": "#E69F00", "descends": "#56B4E9"}
GAP = 4  # rows between populations
MOST = 8  # neurons in a figure, unless they are named


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
    plain_axes(axes, POINTS - 1, "time, ms")
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
    _mark_time(axes, float(spikes.time_ms.max()) if len(spikes) else 0.0, trial_ms, windows_ms)
    axes.set_yticks([y for y, _ in ticks], [label for _, label in ticks], size=POINTS - 1)
    axes.set_ylim(-GAP, base)
    figure.text(0.09, 0.94, title, size=POINTS + 1, weight="bold")
    if windows_ms:
        axes.legend(frameon=False, fontsize=POINTS - 1, loc="upper right", bbox_to_anchor=(1.0, 1.1), ncols=2)
    return save(figure, path)


def membranes(
    recording: Recording,
    population: str,
    path: str | os.PathLike[str] | None = None,
    *,
    variable: str = "v",
    neurons: Sequence[int] | None = None,
    trial_ms: float | None = None,
    windows_ms: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    title: str = "",
) -> Figure:
    """Draw a panel for each neuron, with a line for the variable and a tick above it for each spike.

    Args:
        recording: the recording of a run.
        population: the population.
        variable: the variable, which `record` has asked for.
        neurons: the neurons; by default those that were recorded, at most the first eight.
        trial_ms: the length of a trial; lines mark its boundaries.
        windows_ms: name of a volley -> (begin, end) of each time window, which is shaded.
    Raises:
        ParameterError: the variable of the population or of a neuron was not recorded.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.export import Spiking
        >>> from circuitsim.plots import membranes
        >>> motif = cs.Motif("one")
        >>> _ = motif.add(cs.Population("x", 1), cs.Population("y", 1, activation="relu"))
        >>> _ = motif.connect("x", "y", name="W", init=cs.Constant(1))
        >>> net = cs.export_brian2(motif, mode="spiking", spiking=Spiking(trial=None))
        >>> net.record(v=["y"])
        >>> figure = membranes(net.run(100, {"x": 80.0}), "y")
    """
    check_path(path)
    table = recording.table(population, variable)
    wanted = list(table.columns[:MOST]) if neurons is None else list(neurons)
    if missing := [k for k in wanted if k not in table.columns]:
        known = ", ".join(map(str, table.columns))
        raise ParameterError(f"membranes: neuron {missing[0]} of {population!r} was not recorded (recorded: {known})")
    figure = Picture(9.0, 1.6 + 1.1 * len(wanted))
    panels = figure.subplots(len(wanted), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    low, top = float(table[wanted].to_numpy().min()), float(table[wanted].to_numpy().max())
    step = (top - low) or 1.0
    spikes = recording.spikes[recording.spikes.population == population]
    for axes, k in zip(panels, wanted, strict=True):
        plain_axes(axes, POINTS - 2)
        axes.grid(visible=False)
        axes.plot(table.index, table[k], color="#0072B2", linewidth=1.2, gid=f"{variable}:{k}")
        for event, colour in COLOURS.items():
            times = spikes.time_ms[(spikes.neuron == k) & (spikes.event == event)]
            axes.vlines(times, top + 0.1 * step, top + 0.4 * step, color=colour, linewidth=1.2, gid=f"{event}:{k}")
        axes.set_ylabel(f"{variable}, neuron {k}", size=POINTS - 2, rotation=0, ha="right", va="center")
        _mark_time(axes, recording.duration_ms, trial_ms, windows_ms)
    panels[-1].set_xlabel("time, ms", size=POINTS)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.15, right=0.98, bottom=0.6 / height, top=1 - 0.6 / height, hspace=0.15)
    figure.text(0.15, 1 - 0.35 / height, title or population, size=POINTS + 1, weight="bold")
    if windows_ms:
        panels[0].legend(frameon=False, fontsize=POINTS - 2, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return save(figure, path)


def _mark_time(
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
