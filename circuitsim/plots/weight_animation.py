"""Animations of self-assembly, which show pairs of matrices and their cosine over time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from PIL import Image

from circuitsim.errors import ParameterError
from circuitsim.files import as_path, write_atomically
from circuitsim.plots.matrices import Array, cosine, limit_of, neuron_order, thinned
from circuitsim.plots.picture import Picture
from circuitsim.plots.style import KIND_COLOURS, RUN_COLOURS, colour_table, kind_of_name, plain_axes, run_style

POINTS, DPI, LAST = 14.0, 80, 2.5  # text size, dots per inch, and the seconds for which the last frame is shown
# In inches: a panel, the gap between panels, margins, and the axes of curves.
PANEL, GAP, LEFT, RIGHT, TOP, CURVE, BOTTOM = 2.3, 0.75, 0.95, 0.3, 0.75, 1.7, 0.75


def animation(
    pairs: Mapping[tuple[str, str], tuple[Any, Any]],
    epochs: Sequence[float],
    path: str | os.PathLike[str],
    *,
    signals: Mapping[str, tuple[Any, Any]] | None = None,
    signals_title: str = "",
    title: str = "",
    seconds: float = 0.3,
    max_neurons: int = 64,
) -> None:
    """Write a GIF with one frame per moment, in which each pair of matrices stands above its cosine.

    Rows and columns are ordered by the leading singular vectors of the pair's sum at the last moment. Each matrix has
    its own colour scale for all moments, because pairs such as those of Theorem 1 agree only up to a factor. The scale
    ends at the 99.5th percentile of all its absolute values. Frames have the colours of the four kinds of projection.

    Args:
        pairs: names of two matrices -> both over time, shape ``[moment, row, column]`` each; at most four pairs. NaN
            (no synapse) is shown white and counts as 0.
        epochs: the epoch of each moment.
        path: a file name that ends with .gif. Missing folders are created.
        signals: label -> (epochs, values), drawn as growing curves beside the pairs; by default none.
        signals_title: the title of the curves.
        title: the animation's title.
        seconds: the duration of a frame.
        max_neurons: larger matrices are thinned to this many rows and columns, evenly spaced in their order.
    Raises:
        ParameterError: there are no pairs or more than four, shapes do not match, or the suffix is not .gif.
        ArchiveError: the file cannot be written.
    Example:
        >>> import numpy as np, pathlib, tempfile
        >>> from circuitsim.plots import animation
        >>> v = np.random.default_rng(0).normal(size=(2, 6, 5))  # two moments
        >>> animation({("V1", "Vt1ᵀ"): (v, v)}, [0, 1], pathlib.Path(tempfile.mkdtemp()) / "pair.gif")
    """
    checked = as_path(path)
    if checked.suffix.lower() != ".gif":
        raise ParameterError(f"path {str(path)!r}: the name of an animation must end with .gif")
    if not 1 <= len(pairs) <= 4:
        raise ParameterError(f"pairs must hold one to four pairs of matrices (got {len(pairs)})")
    columns = (len(pairs) + (1.4 if signals else 0)) * (PANEL + GAP) - GAP
    figure = Picture(LEFT + columns + RIGHT, TOP + 2 * PANEL + 0.55 + 0.85 + CURVE + BOTTOM)
    last = float(max(epochs))
    shown = [
        _Pair(figure, k, names, np.nan_to_num(both[0]), np.nan_to_num(both[1]), epochs, max_neurons)
        for k, (names, both) in enumerate(pairs.items())
    ]
    curves = _signals(figure, len(pairs), signals or {}, signals_title, last)
    head = figure.headline(LEFT, 0.2, "", POINTS + 4, weight="normal")
    frames = []
    for k, epoch in enumerate(epochs):
        head.set_text(f"{title}{'   ' if title else ''}epoch {epoch:g} of {last:g}")
        for pair in shown:
            pair.show(k)
        for line, (when, values) in zip(curves, (signals or {}).values(), strict=True):
            past = np.asarray(when) <= epoch
            line.set_data(np.asarray(when)[past], np.asarray(values)[past])
        frames.append(_frame(figure))
    write_atomically(checked, _gif(frames, seconds))


class _Pair:
    """Two matrices and their cosine, in one column of the figure."""

    def __init__(
        self, figure: Picture, place: int, names: tuple[str, str], a: Array, b: Array, epochs: Sequence[float],
        max_neurons: int,
    ) -> None:  # fmt: skip
        if a.ndim != 3 or a.shape != b.shape or len(a) != len(epochs):
            raise ParameterError(
                f"{names[0]} and {names[1]} must both have shape [moment, row, column] with {len(epochs)} moments (got "
                f"{list(a.shape)} and {list(b.shape)})"
            )
        rows, columns = (thinned(order, max_neurons) for order in neuron_order(a[-1] + b[-1]))
        self.matrices = [m[:, rows][:, :, columns] for m in (a, b)]
        self.epochs, self.cosines = np.asarray(epochs), np.array([cosine(x, y) for x, y in zip(a, b, strict=True)])
        left, self.images = LEFT + place * (PANEL + GAP), []
        for k, (name, moments) in enumerate(zip(names, self.matrices, strict=True)):
            at, gid = (left, TOP + 0.45 + k * (PANEL + 0.4), PANEL, PANEL), f"matrix:{name}"
            image = figure.matrix(moments[0], at, limit_of(moments), "", POINTS, aspect="auto", gid=gid)
            image.axes.set_title(name, size=POINTS, weight="bold", loc="left")
            image.axes.spines[:].set(color=_colour(name), linewidth=2.5)
            self.images.append(image)
        axes = figure.panel(left, figure.get_figheight() - BOTTOM - CURVE, PANEL, CURVE)
        _limit(axes, float(self.epochs[-1]), float(np.nanmin(self.cosines, initial=0)))
        (self.line,) = axes.plot([], [], color=_colour(names[0]), linewidth=2.6, gid=f"cosine:{names[0]}")
        (self.dot,) = axes.plot([], [], "o", color=_colour(names[0]), markersize=8)
        axes.set_title("their cosine", size=POINTS - 1, loc="left")

    def show(self, k: int) -> None:
        for image, matrix in zip(self.images, self.matrices, strict=True):
            image.set_data(matrix[k])
        self.line.set_data(self.epochs[: k + 1], self.cosines[: k + 1])
        self.dot.set_data(self.epochs[k : k + 1], self.cosines[k : k + 1])


def _colour(name: str) -> str:
    kind = kind_of_name(name)
    return KIND_COLOURS[kind] if kind else "#555555"


def _signals(
    figure: Picture, n_pairs: int, signals: Mapping[str, tuple[Any, Any]], title: str, last: float
) -> list[Line2D]:
    if not signals:
        return []
    left, top = LEFT + n_pairs * (PANEL + GAP) + 0.15, TOP + 0.45
    axes = figure.panel(left, top, 1.4 * (PANEL + GAP) - GAP - 0.15, figure.get_figheight() - top - BOTTOM)
    _limit(axes, last, min(float(np.nanmin(values, initial=0)) for _, values in signals.values()))
    axes.set_title(title, size=POINTS, weight="bold", loc="left")
    lines = []
    for k, label in enumerate(signals):
        colour, dashes = run_style(k)
        lines += axes.plot([], [], color=colour, linestyle=dashes, linewidth=2.8, label=label)
    axes.legend(frameon=False, fontsize=POINTS - 1, loc="lower right")
    return lines


def _limit(axes: Axes, last: float, low: float) -> None:
    plain_axes(axes, POINTS - 2, "epochs")
    axes.set(xlim=(-0.02 * last, 1.05 * last or 1.0), ylim=(min(-0.12, low - 0.05), 1.05))
    axes.axhline(0, color="#777777", linewidth=1.0)


def _frame(figure: Picture) -> Image.Image:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    figure.set_dpi(DPI)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]


def _gif(frames: Sequence[Image.Image], seconds: float) -> bytes:
    """Encode frames with one palette of the colours that occur, so that nothing flickers and white stays white."""
    greys = [f"#{k:02X}{k:02X}{k:02X}" for k in (*range(0, 240, 5), 255)]  # none that Pillow confuses with white
    colours = [*colour_table(191), *KIND_COLOURS.values(), *RUN_COLOURS, *greys]
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(colour[k : k + 2], 16) for colour in colours for k in (1, 3, 5)])
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [round(1000 * LAST)]
    buffer = BytesIO()
    drawn[0].save(buffer, "GIF", save_all=True, append_images=drawn[1:], duration=durations, loop=0, optimize=False)
    return buffer.getvalue()
