"""Figures without global state, which notebooks can display and which can be saved reproducibly."""

from __future__ import annotations

import os
import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from circuitsim.errors import ParameterError
from circuitsim.files import write_atomically
from circuitsim.plots.style import COLOUR_MAP

SUFFIXES = (".png", ".svg", ".pdf")
DPI = 160
MOST_PIXELS = 16_000  # the largest number of pixels along a side


class Picture(Figure):
    """A white matplotlib Figure of a size in inches with its own canvas, which notebooks display without pyplot."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), facecolor="white", dpi=DPI)
        FigureCanvasAgg(self)

    def panel(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place in inches from the upper left corner."""
        w, h = self.get_size_inches()
        return self.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))

    def headline(self, left: float, top: float, text: str, points: float, **options: Any) -> Text:
        """A bold text, whose options may make it another, at a place in inches from the upper left corner."""
        w, h = self.get_size_inches()
        return self.text(left / w, 1 - top / h, text, size=points, **{"weight": "bold", "va": "top"} | options)

    def matrix(
        self, shown: NDArray[Any], place: tuple[float, float, float, float], limit: float, title: str, points: float,
        **options: Any,
    ) -> AxesImage:  # fmt: skip
        """A matrix of weights between -limit and limit in a panel at this place."""
        axes = self.panel(*place)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, size=points)
        return axes.imshow(shown, cmap=COLOUR_MAP, vmin=-limit, vmax=limit, interpolation="nearest", **options)

    def colour_bar(self, image: AxesImage, left: float, top: float, height: float, points: float) -> None:
        """The scale of weights of an image, at a place in inches from the upper left corner."""
        bar = self.colorbar(image, cax=self.panel(left, top, 0.2, height), extend="both")
        bar.ax.tick_params(labelsize=points - 3)
        bar.set_label("weight", size=points - 2)

    def _repr_png_(self) -> bytes:
        return _encoded(self, "png", DPI / 2)


def save(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    """Save the figure in the format of the path's suffix, unless the path is None, and return it.

    Missing folders are created. The same figure always gives the same bytes: the file holds no date and no random ids.
    """
    if path is None:
        return figure
    path = check_path(path)
    write_atomically(path, _encoded(figure, path.suffix.lower().removeprefix("."), DPI, facecolor="white"))
    return figure


def _encoded(figure: Figure, kind: str, dpi: float, **options: Any) -> bytes:
    buffer, dated = BytesIO(), {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    dpi = float(min(dpi, MOST_PIXELS / max(figure.get_size_inches())))  # fewer than would be too many for matplotlib
    with matplotlib.rc_context({"svg.hashsalt": "circuitsim"}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=dated, **options)
    return buffer.getvalue()


def inline_svg(figure: Figure) -> str:
    """The figure as one ``<svg>`` element for a page of HTML, as wide as its container, without metadata."""
    text = _encoded(figure, "svg", DPI).decode()
    element = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r' width="[^"]*" height="[^"]*"', "", element, count=1)


def check_path(path: str | os.PathLike[str] | None) -> Path:
    """Return the path if `save` knows its suffix. Callers check this before they make the figure."""
    checked = Path("figure.png" if path is None else path)
    if checked.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"path {str(path)!r}: the name of a figure must end with one of {', '.join(SUFFIXES)}")
    return checked


@cache
def text_size(text: str, points: float, bold: bool = False) -> NDArray[np.float64]:
    """Width and height of a text in inches, shape ``[2]``; lines are separated by newlines."""
    font = FontProperties(weight="bold" if bold else "normal")
    lines = text.split("\n")
    widths = [TextPath((0, 0), line, size=points, prop=font).get_extents().width for line in lines if line.strip()]
    return np.array([max(widths, default=0.0), 1.2 * points * len(lines)]) / 72
