"""Populations, losses and wires as matplotlib artists. Each carries its name as gid, so an SVG can be searched."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from circuitsim.motif import Motif, Population
from circuitsim.motif.roles import is_error
from circuitsim.plots.diagram.captions import caption
from circuitsim.plots.diagram.geometry import Array, Box, along
from circuitsim.plots.diagram.heads import LENGTHS, OVERLAP, head
from circuitsim.plots.diagram.spacing import NAME_POINTS, SMALL_POINTS
from circuitsim.plots.style import KIND_COLOURS, LINES, Kind, Plasticity

INK = "#222222"
FILLS = {"ascending": "#F6F6F6", "descending": "#D6E8F7", "error": "#F9D56B"}
CURVES = {
    "linear": lambda t: t,
    "relu": lambda t: np.maximum(t, 0),
    "tanh": lambda t: np.tanh(3 * t),
    "sigmoid": lambda t: 2 / (1 + np.exp(-5 * t)) - 1,
}


def population_shape(axes: Axes, motif: Motif, population: Population, box: Box) -> None:
    """A rounded box with name, size and activation; errors are yellow."""
    error = is_error(motif, population)
    fill = FILLS["error" if error else population.stream]
    rounded(axes, box, fill, 2.0 if error else 1.4).set_gid(f"population:{population.name}")
    name, below, glyph = caption(motif, population)
    axes.text(
        box.x,
        box.y + 0.16 + 0.105 * below.count("\n"),
        name,
        size=NAME_POINTS,
        weight="bold",
        color=INK,
        ha="center",
        va="center",
        zorder=5,
    )
    shift = 0.21 if glyph else 0.0
    axes.text(
        box.x - shift, box.y - 0.17, below, size=SMALL_POINTS, color=INK, ha="center", va="center",
        zorder=5, linespacing=1.25,
    )  # fmt: skip
    if glyph:
        t = np.linspace(-1, 1, 41)
        x, y = box.x + 0.26, box.y - 0.18
        axes.plot(x + 0.2 * t, 0 * t + y, color="#999999", linewidth=0.8, zorder=5)
        (line,) = axes.plot(x + 0.2 * t, y + 0.1 * CURVES[glyph](t), color=INK, linewidth=1.8, zorder=6)
        line.set_gid(f"activation:{population.name}")


def bias_shape(axes: Axes, population: Population, box: Box) -> None:
    """A small circle with a 1 in it."""
    bias_circle(axes, box).set_gid(f"population:{population.name}")


def bias_circle(axes: Axes, box: Box) -> Patch:
    """What a bias unit looks like."""
    axes.text(box.x, box.y, "1", size=SMALL_POINTS, color=INK, ha="center", va="center", zorder=5)
    circle = Circle((box.x, box.y), box.half_width, facecolor="white", edgecolor=INK, linewidth=1.4, zorder=3)
    return axes.add_patch(circle)


def badge_shape(axes: Axes, text: str, box: Box, gid: str) -> None:
    """An objective."""
    rounded(axes, box, FILLS["error"], 2.0).set_gid(gid)
    axes.text(box.x, box.y, text, size=SMALL_POINTS, color=INK, ha="center", va="center", zorder=5, linespacing=1.15)


def wire_shape(axes: Axes, curve: Array, kind: Kind, plasticity: Plasticity, name: str) -> None:
    """A projection: colour and head by kind, line by plasticity; a white edge lets it pass over others."""
    cut, n = along(curve, -(LENGTHS[kind] - OVERLAP))
    path, line = Path(np.vstack([curve[:n], cut])), LINES[plasticity]
    under = PathPatch(path, fill=False, edgecolor="white", linewidth=line.width + 3.5, capstyle="butt", zorder=2)
    axes.add_patch(under)  # of equal zorder with all wires, so it covers those drawn before
    over = PathPatch(
        path, fill=False, edgecolor=KIND_COLOURS[kind], linewidth=line.width, linestyle=line.linestyle,
        capstyle="butt", zorder=2, gid=f"projection:{name}",
    )  # fmt: skip
    axes.add_patch(over)
    axes.add_patch(head(kind, curve[-1], unit(curve[-1] - cut))).set(gid=f"head:{name}", zorder=4)


def loss_wire_shape(axes: Axes, curve: Array, gid: str) -> None:
    """Output to loss, loss to error: grey, not a projection."""
    cut, n = along(curve, -0.12)
    axes.plot(*np.vstack([curve[:n], cut]).T, color="#777777", linewidth=1.6, zorder=1.5, gid=gid)
    tip, normal = curve[-1], unit(curve[-1] - cut)[::-1] * (-1, 1)
    corners = np.array([tip, cut + 0.07 * normal, cut - 0.07 * normal])
    axes.fill(*corners.T, color="#777777", linewidth=0, zorder=4)


def label_shape(axes: Axes, text: str, box: Box, points: float, name: str) -> None:
    """The projection's name on its wire."""
    axes.text(
        box.x, box.y, text, size=points, weight="bold", color=INK, ha="center", va="center", zorder=6,
        bbox={"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.92},
        gid=f"label:{name}",
    )  # fmt: skip


def unit(vector: Array) -> Array:
    """The vector at length 1."""
    return vector / max(float(np.hypot(*vector)), 1e-12)


def rounded(axes: Axes, box: Box, fill: str, width: float) -> FancyBboxPatch:
    """A box with round corners."""
    patch = FancyBboxPatch(
        (box.x - box.half_width, box.y - box.half_height), 2 * box.half_width, 2 * box.half_height,
        boxstyle="round,pad=0,rounding_size=0.14", facecolor=fill, edgecolor=INK, linewidth=width, zorder=3,
    )  # fmt: skip
    axes.add_patch(patch)
    return patch
