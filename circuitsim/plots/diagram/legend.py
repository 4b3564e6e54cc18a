"""The legend of a circuit's picture: what is there, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from circuitsim.motif import Motif
from circuitsim.motif.roles import is_error
from circuitsim.plots.diagram import shapes
from circuitsim.plots.diagram.geometry import Array, Box, text_size
from circuitsim.plots.diagram.sheet import Sheet
from circuitsim.plots.style import KIND_COLOURS, KIND_MEANINGS, LINES, Kind, kind_of, plasticity_of

POINTS, ROW, SAMPLE = 12.5, 0.37, 0.8  # text; inches from row to row; width of the sample beside the text


@dataclass(frozen=True)
class Entry:
    """A sample and its meaning; `paint` draws the sample around a point, shape ``[2]``."""

    text: str
    paint: Callable[[Axes, Array], None]

    @property
    def width(self) -> float:
        """Inches, sample included."""
        return SAMPLE + 0.15 + text_size(self.text, POINTS)[0]


def entries(motif: Motif, sheet: Sheet) -> list[list[Entry]]:
    """Three groups: kinds of the motif's projections, their plasticities, its sorts of population."""
    present = {kind_of(motif, p.name) for p in motif.projections}
    kinds = [Entry(f"{kind}: {KIND_MEANINGS[kind]}", _kind(kind)) for kind in KIND_COLOURS if kind in present]
    states = {plasticity_of(p) for p in motif.projections}
    lines = [Entry(LINES[state].meaning, _line(state)) for state in LINES if state in states]
    streams = {p.stream for p in motif.populations if not is_error(motif, p) and p.name not in sheet.biases}
    boxes = [Entry(f"{s} population", _box(shapes.FILLS[s])) for s in ("ascending", "descending") if s in streams]
    if motif.objectives:
        boxes.append(Entry("error = −∂loss/∂output", _box(shapes.FILLS["error"])))
    if sheet.biases:
        boxes.append(Entry("bias unit", _bias))
    return [group for group in (kinds, lines, boxes) if group]


def arrange(groups: list[list[Entry]], side_by_side: bool) -> tuple[list[tuple[float, float]], float, float]:
    """Upper left corners of all entries from (0, 0) downwards, and the width and height of the whole, in inches."""
    corners: list[tuple[float, float]] = []
    x = y = width = height = 0.0
    for group in groups:
        corners += [(x, y - k * ROW) for k in range(len(group))]
        column = max(entry.width for entry in group)
        width, height = max(width, x + column), max(height, len(group) * ROW - y)
        if side_by_side:
            x += column + 0.6
        else:
            y -= len(group) * ROW + 0.18
    return corners, width, height


def paint(axes: Axes, groups: list[list[Entry]], corners: list[tuple[float, float]], x: float, y: float) -> None:
    """Draw the legend with its upper left corner at (x, y)."""
    for entry, (dx, dy) in zip([entry for group in groups for entry in group], corners, strict=True):
        middle = np.array([x + dx + SAMPLE / 2, y + dy - ROW / 2])
        entry.paint(axes, middle)
        axes.text(
            x + dx + SAMPLE + 0.15, middle[1], entry.text, size=POINTS, color=shapes.INK, va="center", ha="left",
            gid="legend", zorder=5,
        )  # fmt: skip


def _stretch(middle: Array) -> Array:
    half = np.array([SAMPLE / 2, 0.0])
    return np.linspace(middle - half, middle + half, 30)


def _kind(kind: Kind) -> Callable[[Axes, Array], None]:
    return lambda axes, middle: shapes.wire_shape(axes, _stretch(middle), kind, "plastic", f"legend {kind}")


def _line(state: str) -> Callable[[Axes, Array], None]:
    style = next(line for name, line in LINES.items() if name == state)

    def draw(axes: Axes, middle: Array) -> None:
        axes.plot(*_stretch(middle).T, color="#666666", linewidth=style.width, linestyle=style.linestyle)

    return draw


def _box(fill: str) -> Callable[[Axes, Array], None]:
    def draw(axes: Axes, middle: Array) -> None:
        shapes.rounded(axes, Box.at(middle, 0.22, 0.12), fill, 1.4)

    return draw


def _bias(axes: Axes, middle: Array) -> None:
    shapes.bias_circle(axes, Box.at(middle, 0.13, 0.13))
