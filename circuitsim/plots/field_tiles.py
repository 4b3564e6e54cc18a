"""Receptive fields as images, each at the place of its neuron."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.motif.checks import index
from circuitsim.plots.matrices import Array, limit_of, mosaic
from circuitsim.plots.picture import Picture, check_path, save

POINTS = 13.0
PANEL, GAP, LEFT, RIGHT, TOP, HEAD = 4.0, 0.3, 0.2, 1.1, 0.2, 0.4  # inches
GREY = "#d4d4d4"
MOST = 4  # panels that are shown by default


def receptive_fields(
    circuit: Circuit,
    projection: str,
    path: str | os.PathLike[str] | None = None,
    *,
    replica: int = 0,
    channels: Sequence[int] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the weights onto each neuron in the shape of the presynaptic map, at the neuron's place in its own map.

    Each channel of the postsynaptic map is a panel of tiles. The channels of the presynaptic map stand side by side
    within a tile. Grey is where there is no synapse. All panels share one colour scale, red positive and blue negative,
    which ends at the 99.5th percentile of the absolute weights.

    Args:
        circuit: the circuit.
        projection: the name of a projection whose presynaptic population has a `shape`. The tiles of a postsynaptic
            population without one stand row by row in a nearly square grid.
        replica: the index of the replica to show.
        channels: the postsynaptic channels to show; by default the first four.
        title: the figure's title; by default the projection and its populations.
    Raises:
        ParameterError: the presynaptic population has no shape, there is no such replica or channel, or the path has an
            unknown suffix.
        MotifError: there is no such projection.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.plots import receptive_fields
        >>> motif = cs.Motif("eye")
        >>> retina = motif.add(cs.Population("retina", shape=(12, 12)))
        >>> cortex = motif.add(cs.Population("cortex", shape=(2, 5, 5)))
        >>> W = motif.connect(retina, cortex, name="W", connectivity=cs.Local(radius=2, stride=2))
        >>> figure = receptive_fields(cs.compile(motif), "W")
        >>> len(figure.axes)  # two channels and the colour scale
        3
    """
    check_path(path)
    p = circuit.motif.projection(projection)
    pre, post = circuit.motif.population(p.pre), circuit.motif.population(p.post)
    replica = index("replica", replica, circuit.n_replicas)
    if pre.shape is None or pre.grid is None:
        raise ParameterError(
            f"projection {p.name!r}: its presynaptic population {pre.name!r} has no shape, so its neurons form no "
            f"image; declare Population({pre.name!r}, shape=(height, width))"
        )
    fields, tile = _tiles(circuit, p.name, replica, pre.grid)
    places = math.prod(post.grid) if post.grid is not None else len(fields)
    n_channels = len(fields) // places
    chosen = range(min(n_channels, MOST)) if channels is None else [index("channel", k, n_channels) for k in channels]
    columns = post.grid[-1] if post.grid is not None else None
    sheets = {k: mosaic(fields[k * places : (k + 1) * places], tile, p.name, columns) for k in chosen}
    backdrop = mosaic(np.ones((places, pre.size)), tile, p.name, columns)
    n, top = len(sheets), TOP + 2 * HEAD
    figure = Picture(LEFT + n * (PANEL + GAP) + RIGHT, top + PANEL + GAP)
    figure.headline(LEFT, TOP, title or f"{p.caption}: {pre.caption} to {post.caption}", POINTS + 2)
    for place, (k, sheet) in enumerate(sheets.items()):
        at, name = (LEFT + place * (PANEL + GAP), top, PANEL, PANEL), f"channel {k}" if n_channels > 1 else ""
        image = figure.matrix(sheet, at, limit_of(fields), name, POINTS, gid=f"channel:{k}", zorder=1)
        image.axes.imshow(backdrop, cmap=ListedColormap([GREY]))  # seen where there is no synapse
    if n:
        figure.colour_bar(image, LEFT + n * (PANEL + GAP), top, PANEL, POINTS)
    return save(figure, path)


def _tiles(circuit: Circuit, projection: str, replica: int, grid: tuple[int, ...]) -> tuple[Array, tuple[int, int]]:
    """The weights onto each neuron, NaN without a synapse, with channels side by side; and the shape of a tile."""
    layout = circuit.layouts[projection]
    ends = tuple(k.cpu().numpy() for k in layout.synapses(replica))
    fields = np.full(layout.shape, np.nan)
    fields[ends] = layout.at_synapses(circuit.values(projection), replica).double().cpu().numpy()
    height, width = (1, *grid)[-2:]
    images = fields.reshape(len(fields), -1, height, width).transpose(0, 2, 1, 3)
    tiles = images.reshape(len(fields), -1)
    return tiles, (height, tiles.shape[1] // height)
