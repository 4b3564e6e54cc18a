"""Tables of numbers on coloured fields: the results of many conditions on one page."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from circuitsim.errors import ParameterError
from circuitsim.plots.picture import Picture, check_path, save, text_size

POINTS, SMALL = 9.0, 7.5
ROW, GAP, HEAD, MARGIN = 0.2, 0.08, 0.62, 0.25  # inches
COLOURS, DARK = "RdBu", 0.45  # red for low, blue for high; below this luminance, text is white
FRAME = "#000000"

Values = Sequence[float] | float | None
Row = Mapping[str, Values]  # heading -> numbers
Group = Mapping[str, Row]  # label -> row


@dataclass(frozen=True)
class HeatColumn:
    """A column of `heat_table`.

    Args:
        heading: the text above the column, which may have several lines.
        width: in inches.
        limits: the values at the red and the blue end of the colour scale, white halfway; None for no colours.
        digits: the number of decimals. With two decimals, "0.71" is written ".71".
    """

    heading: str
    width: float
    limits: tuple[float, float] | None = None
    digits: int = 1


def heat_table(
    pages: Sequence[Mapping[str, Sequence[Group]]],
    columns: Sequence[HeatColumn],
    path: str | os.PathLike[str] | None = None,
    *,
    framed: Collection[tuple[str, str, str]] = (),
    title: str = "",
    note: str = "",
) -> Figure:
    """Write numbers on coloured fields, in tables side by side.

    A field with several numbers is divided among them. A row without an entry for a heading has no field there; an
    entry of None (or NaN) is a missing number, whose field is hatched.

    Args:
        pages: from left to right, each maps titles to tables. A table is a sequence of groups of rows, which a small
            gap separates. A group maps labels to rows, and a row maps headings to one number or several.
        columns: the columns of every table.
        framed: the fields to frame, as triples of title, label and heading.
        note: text at the bottom, in lines.
    Returns:
        The figure. A field's rectangles have the gid "title:label:heading:0", ":1", ...
    Raises:
        ParameterError: there are no pages or columns, a row has an unknown heading or a field without numbers, or a
            field to frame does not exist.
    Example:
        >>> from circuitsim.plots import HeatColumn, heat_table
        >>> rows = {"1 hidden layer": {"accuracy": 97.0, "cosines": [0.81]}, "2": {"accuracy": None}}
        >>> columns = [HeatColumn("accuracy", 0.7, (90, 100)), HeatColumn("cosines", 1.0, (0.3, 1.0), 2)]
        >>> figure = heat_table([{"digits": [rows]}], columns)
    """
    check_path(path)
    if not pages or not columns:
        raise ParameterError(f"heat_table: pages and columns must not be empty (got {len(pages)} and {len(columns)})")
    _check(pages, [column.heading for column in columns], framed)
    labels = {label for page in pages for groups in page.values() for group in groups for label in group}
    aside = max((text_size(label, POINTS)[0] for label in labels), default=0.0) + 0.12
    width = aside + sum(column.width for column in columns)
    above = 0.45 if title else 0.1
    below = 0.1 + float(text_size(note, POINTS)[1]) if note else 0.1
    height = above + max(sum(map(_height, page.values())) for page in pages) + below
    total = MARGIN + len(pages) * (width + MARGIN)
    figure = Picture(total, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, total), ylim=(height, 0))  # in inches, from the top left
    axes.axis("off")
    axes.text(MARGIN, 0.12, title, size=POINTS + 4, weight="bold", va="top")
    axes.text(MARGIN, height - 0.08, note, size=POINTS, va="bottom", color="#333333")
    for k, page in enumerate(pages):
        top = above
        for name, groups in page.items():
            _table(axes, MARGIN + k * (width + MARGIN), top, aside, name, groups, columns, framed)
            top += _height(groups)
    return save(figure, path)


def _check(
    pages: Sequence[Mapping[str, Sequence[Group]]], known: Sequence[str], framed: Collection[tuple[str, str, str]]
) -> None:
    fields = [
        ((name, label, heading), values)
        for page in pages
        for name, groups in page.items()
        for group in groups
        for label, row in group.items()
        for heading, values in row.items()
    ]
    for (name, label, heading), values in fields:
        where = f"heat_table: table {name!r}, row {label!r}"
        if heading not in known:
            raise ParameterError(f"{where}: no column {heading!r} ({known})")
        if np.size(np.asarray(values)) == 0:
            raise ParameterError(f"{where}: field {heading!r} has no numbers; use None for a missing one")
    if unknown := set(framed).difference(field for field, _ in fields):
        raise ParameterError(f"heat_table: framed: no field (title, label, heading) is {sorted(unknown)[0]!r}")


def _height(groups: Sequence[Group]) -> float:
    return HEAD + sum(ROW * len(group) + GAP for group in groups) + 0.1


def _table(
    axes: Axes, left: float, top: float, aside: float, name: str, groups: Sequence[Group],
    columns: Sequence[HeatColumn], framed: Collection[tuple[str, str, str]],
) -> None:  # fmt: skip
    axes.text(left, top + 0.02, name, size=POINTS + 2, weight="bold", va="top")
    places = left + aside + np.cumsum([0.0, *(column.width for column in columns)])
    for place, column in zip(places[:-1], columns, strict=True):
        axes.text(
            place + column.width / 2, top + HEAD - 0.03, column.heading, size=SMALL, ha="center", va="bottom",
            linespacing=1.05,
        )  # fmt: skip
    y = top + HEAD
    for group in groups:
        for label, row in group.items():
            axes.text(left, y + ROW / 2, label, size=POINTS, va="center")
            for place, column in zip(places[:-1], columns, strict=True):
                if column.heading in row:
                    gid = f"{name}:{label}:{column.heading}"
                    _field(axes, place + 0.02, y, column, row[column.heading], gid)
                    if (name, label, column.heading) in framed:
                        box = Rectangle((place + 0.02, y + 0.01), column.width - 0.04, ROW - 0.02, fill=False)
                        box.set(edgecolor=FRAME, linewidth=1.4, gid=f"{gid}:frame", zorder=3)
                        axes.add_patch(box)
            y += ROW
        y += GAP


def _field(axes: Axes, x: float, y: float, column: HeatColumn, values: Values, gid: str) -> None:
    found = np.atleast_1d(np.asarray(np.nan if values is None else values, dtype=float))
    width = (column.width - 0.04) / len(found)
    for k, value in enumerate(found):
        missing = not np.isfinite(value)
        red = green = blue = 1.0
        if not missing and column.limits is not None:
            low, high = column.limits
            share = float(np.clip((value - low) / (high - low), 0.04, 0.96))
            red, green, blue, _ = matplotlib.colormaps[COLOURS](share)
        box = Rectangle((x + k * width, y + 0.01), width - 0.01, ROW - 0.02, facecolor=(red, green, blue), linewidth=0)
        box.set(gid=f"{gid}:{k}", hatch="////" if missing else None, edgecolor="#C8C8C8")
        axes.add_patch(box)
        if not missing:
            ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < DARK else "black"
            size = POINTS if len(found) == 1 else SMALL
            axes.text(
                x + (k + 0.5) * width, y + ROW / 2 + 0.005, _written(value, column), size=size, ha="center",
                va="center", color=ink,
            )  # fmt: skip


def _written(value: float, column: HeatColumn) -> str:
    text = f"{value:.{column.digits}f}"
    if column.digits == 2 and abs(value) < 1:
        text = text.replace("0.", ".", 1)
    return text.replace("-", "−")
