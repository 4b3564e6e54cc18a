"""A figure that belongs to no global state: it shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.files import writing

SUFFIXES = (".png", ".svg", ".pdf")
DPI = 160


class Picture(Figure):
    """A matplotlib Figure, white, with a canvas of its own. Notebooks display it without pyplot."""

    def __init__(self, width: float, height: float, **options: Any) -> None:
        """Size in inches; options as in `matplotlib.figure.Figure`."""
        super().__init__(figsize=(width, height), facecolor="white", dpi=DPI, **options)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi=DPI / 2)
        return buffer.getvalue()


def save(figure: Figure, path: str | os.PathLike[str] | None) -> None:
    """Write the figure by its suffix; folders are made as needed. Nothing happens where `path` is None.

    The same figure gives the same bytes: no date and no random ids go into the file.

    Raises:
        ParameterError: a suffix other than .png, .svg or .pdf.
        ArchiveError: the path cannot be written.
    """
    if path is None:
        return
    path = check_path(path)
    dated = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[path.suffix.lower()]
    with writing(path), matplotlib.rc_context({"svg.hashsalt": "circuitsim"}):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DPI, metadata=dated, facecolor="white")


def inline_svg(figure: Figure) -> str:
    """The figure as one ``<svg>`` element for a page of HTML, as wide as its container, without metadata."""
    buffer = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "circuitsim"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue().decode()
    element = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r' width="[^"]*" height="[^"]*"', "", element, count=1)


def check_path(path: str | os.PathLike[str] | None) -> Path:
    """The path, if `save` can write it; asked before a picture is made, not after."""
    checked = Path("figure.png" if path is None else path)
    if checked.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"path {str(path)!r}: a picture's name must end with one of {', '.join(SUFFIXES)}")
    return checked
