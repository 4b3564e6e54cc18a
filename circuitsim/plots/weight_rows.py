"""Rows of weight matrices, with before on the left, after on the right and one colour scale per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from circuitsim.plots.colour_map import COLOUR_MAP
from circuitsim.plots.matrices import Array
from circuitsim.plots.picture import Picture, text_size
from circuitsim.plots.style import KIND_COLOURS, kind_of_name

POINTS = 13.0
# In inches: a panel, the gaps within a pair and between before and after, and the colour bar; then the margins.
PANEL, GAP, WIDE_GAP, BAR = 2.55, 0.3, 0.75, 0.2
LEFT, RIGHT, TOP, ABOVE, BELOW = 0.6, 1.1, 0.3, 0.7, 0.6
WIDTH = LEFT + 4 * PANEL + 2 * GAP + WIDE_GAP + 0.25 + BAR + RIGHT


@dataclass(frozen=True)
class Row:
    """The content of one row.

    Args:
        titles: the titles of the one or two matrices.
        before, after: the matrices, shape ``[post, pre]`` each, in the orientation and order of the figure.
        limit: the absolute weight at which the colour scale ends.
        heading: a line above the row.
        note: a smaller line below the heading.
        axis_names: the names of the horizontal and the vertical axis.
    """

    titles: tuple[str, ...]
    before: tuple[Array, ...]
    after: tuple[Array, ...]
    limit: float
    heading: str
    note: str
    axis_names: tuple[str, str]

    @property
    def above(self) -> float:
        """The distance from the row's upper edge to its panels, in inches."""
        return ABOVE + (0.25 if self.note else 0.0)


def weight_figure(rows: Sequence[Row], title: str | None) -> Figure:
    """Draw all rows on a figure that is as wide as a slide."""
    head = TOP + (0.5 if title else 0.0)
    height = head + sum(row.above + PANEL + BELOW for row in rows)
    width = max(WIDTH, LEFT + text_size(title or "", POINTS + 5, True)[0] + 0.2)
    figure = Picture(width, height)
    if title:
        figure.text(LEFT / width, 1 - 0.25 / height, title, size=POINTS + 5, weight="bold", va="top")
    for row in rows:
        _paint_row(figure, row, head)
        head += row.above + PANEL + BELOW
    return figure


def _paint_row(figure: Figure, row: Row, top: float) -> None:
    width, height = figure.get_size_inches()
    figure.text(LEFT / width, 1 - top / height, row.heading, size=POINTS + 2, weight="bold", va="top")
    figure.text(LEFT / width, 1 - (top + 0.3) / height, row.note, size=POINTS - 2, color="#555555", va="top")
    left = LEFT
    panel = PANEL if len(row.titles) == 2 else 2 * PANEL + GAP
    for when, matrices in (("before", row.before), ("after", row.after)):
        for k, (name, matrix) in enumerate(zip(row.titles, matrices, strict=True)):
            place = (left / width, 1 - (top + row.above + PANEL) / height, panel / width, PANEL / height)
            axes = figure.add_axes(place)
            image = axes.imshow(
                matrix, cmap=COLOUR_MAP, vmin=-row.limit, vmax=row.limit, interpolation="nearest",
                aspect="auto" if row.axis_names[0] else "equal", gid=f"{when}:{name}",
            )  # fmt: skip
            axes.set(xticks=[], yticks=[])
            if kind := kind_of_name(name):
                axes.spines[:].set(color=KIND_COLOURS[kind], linewidth=2.5)
            axes.set_title(f"{name} {when}", size=POINTS)
            axes.set_xlabel(row.axis_names[0], size=POINTS - 2)
            axes.set_ylabel(row.axis_names[1] if k == 0 else "", size=POINTS - 2)
            left += panel + GAP
        left += WIDE_GAP - GAP
    _paint_bar(figure, image, left - WIDE_GAP + 0.25, top + row.above)


def _paint_bar(figure: Figure, image: AxesImage, left: float, top: float) -> None:
    width, height = figure.get_size_inches()
    place = (left / width, 1 - (top + PANEL) / height, BAR / width, PANEL / height)
    bar = figure.colorbar(image, cax=figure.add_axes(place), extend="both")
    bar.ax.tick_params(labelsize=POINTS - 3)
    bar.set_label("weight", size=POINTS - 2)
