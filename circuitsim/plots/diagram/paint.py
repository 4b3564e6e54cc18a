"""A figure just large enough, and everything put on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuitsim.motif import Motif
from circuitsim.plots.diagram import legend, shapes
from circuitsim.plots.diagram.captions import label, loss_caption
from circuitsim.plots.diagram.geometry import Array, Box, text_size
from circuitsim.plots.diagram.labels import label_boxes
from circuitsim.plots.diagram.sheet import Sheet
from circuitsim.plots.diagram.spacing import LABEL_POINTS
from circuitsim.plots.picture import Picture
from circuitsim.plots.style import kind_of, plasticity_of

MARGIN = 0.3
TITLE_POINTS = 19.0


def paint(motif: Motif, layout: Sheet, curves: Sequence[Array], title: str) -> Figure:
    """The figure, one data unit per inch.

    Args:
        curves: shape ``[sample, 2]`` each: those of the projections in order, then two per objective.
    """
    upright = bool(layout.forward[1])
    texts = [label(p, narrow=not upright) for p in motif.projections]
    names = label_boxes(curves, texts, LABEL_POINTS, layout.obstacles)
    left, bottom, right, top = _bounds([*layout.obstacles, *names], curves)
    keys = legend.entries(motif, layout)
    corners, width, height = legend.arrange(keys, side_by_side=not upright)
    title_width = text_size(title, TITLE_POINTS, True)[0]
    if upright:  # the legend goes to the right, else below
        x, y = right + 0.5, (top + bottom + height) / 2
        right, bottom, top = x + width, min(bottom, y - height), max(top, y)
    else:
        x, y = left, bottom - 0.35
        right, bottom = max(right, left + width), y - height
    right = max(right, left + title_width)
    top += 0.6 if title else 0.0
    axes = _axes(left - MARGIN, bottom - MARGIN, right + MARGIN, top + MARGIN)
    _circuit(axes, motif, layout, curves)
    for p, text, box in zip(motif.projections, texts, names, strict=True):
        shapes.label_shape(axes, text, box, LABEL_POINTS, p.name)
    legend.paint(axes, keys, corners, x, y)
    axes.text(left, top, title, size=TITLE_POINTS, weight="bold", color=shapes.INK, va="top", ha="left", gid="title")
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def _axes(left: float, bottom: float, right: float, top: float) -> Axes:
    figure = Picture(right - left, top - bottom)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", autoscale_on=False)
    return axes


def _circuit(axes: Axes, motif: Motif, layout: Sheet, curves: Sequence[Array]) -> None:
    for p, curve in zip(motif.projections, curves, strict=False):
        shapes.wire_shape(axes, curve, kind_of(motif, p.name), plasticity_of(p), p.name)
    for k, curve in enumerate(curves[len(motif.projections) :]):
        shapes.loss_wire_shape(axes, curve, f"loss wire:{k}")
    for population in motif.populations:
        box = layout.boxes[population.name]
        if population.name in layout.biases:
            shapes.bias_shape(axes, population, box)
        else:
            shapes.population_shape(axes, motif, population, box)
    for k, (objective, box) in enumerate(zip(motif.objectives, layout.badges, strict=True)):
        shapes.badge_shape(axes, loss_caption(objective), box, f"objective:{k}")


def _bounds(boxes: Sequence[Box], curves: Sequence[Array]) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of everything."""
    corners = [(box.x + k * box.half_width, box.y + k * box.half_height) for box in boxes for k in (-1, 1)]
    points = np.vstack([corners, *curves])
    (left, bottom), (right, top) = points.min(0), points.max(0)
    return float(left), float(bottom), float(right), float(top)
