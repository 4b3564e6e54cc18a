"""Membranes, currents and traces of single neurons over time, with their spikes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.export import Recording
from circuitsim.plots.band import plain_axes
from circuitsim.plots.picture import Picture, check_path, save
from circuitsim.plots.spike_raster import COLOURS, mark_time

POINTS = 12.0
MOST = 8  # neurons in a figure, unless they are named


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
        mark_time(axes, recording.duration_ms, trial_ms, windows_ms)
    panels[-1].set_xlabel("time, ms", size=POINTS)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.15, right=0.98, bottom=0.6 / height, top=1 - 0.6 / height, hspace=0.15)
    figure.text(0.15, 1 - 0.35 / height, title or population, size=POINTS + 1, weight="bold")
    if windows_ms:
        panels[0].legend(frameon=False, fontsize=POINTS - 2, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    save(figure, path)
    return figure
