"""Weight matrices before and after learning."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.plots.matrices import Array, cosine, groups, limit_of, matrix, mosaic, neuron_order, thinned
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.style import KIND_COLOURS, kind_of_name

POINTS = 13.0
# In inches: a panel, the gaps within a pair and between before and after, and the colour bar; then the margins.
PANEL, GAP, WIDE_GAP, BAR = 2.55, 0.3, 0.75, 0.2
LEFT, RIGHT, TOP, ABOVE, BELOW = 0.6, 1.1, 0.3, 0.7, 0.6
WIDTH = LEFT + 4 * PANEL + 2 * GAP + WIDE_GAP + 0.25 + BAR + RIGHT


def weights(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    path: str | os.PathLike[str] | None = None,
    *,
    projections: Sequence[str] | None = None,
    replica: int = 0,
    title: str | None = None,
    max_neurons: int = 64,
    images: Mapping[str, tuple[int, int]] | None = None,
) -> Figure:
    """Draw weights before and after learning, each V beside its Vt^T, which look alike if they mirror each other.

    Neurons are sorted by the leading singular vectors of the weights *after* learning (of V + Vt^T for a pair) and have
    the same order in all panels of a row. The panels of a row share one colour scale, which is centred on 0 (red
    positive, blue negative) and ends at the 99.5th percentile of the absolute weights.

    Args:
        before, after: projection -> weights, ``[replica, post, pre]`` or ``[post, pre]``, such as `Circuit.weights`
            returns.
        projections: the projections to show; by default all of `after`. V1 and Vt1 (or W1 and Wt1) of mirrored shapes
            are shown as a pair.
        replica: the index of the replica to show.
        max_neurons: larger populations are thinned to this many neurons, evenly spaced in their order.
        images: projection -> (height, width) of the image that its presynaptic neurons form. Each postsynaptic neuron
            is then shown as one tile.
    Raises:
        ParameterError: a projection (the message lists the known ones) or the replica is unknown, or an array is
            faulty.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.plots import weights
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([64, 16, 10]))
        >>> before = {name: circuit.weights(name) for name in ("V1", "Vt1")}
        >>> history = cs.fit(circuit, cs.load_dataset("digits"), epochs=2, progress=False)
        >>> figure = weights(before, {name: circuit.weights(name) for name in before})
    """
    check_path(path)
    if max_neurons < 1:
        raise ParameterError(f"max_neurons must be at least 1 (got {max_neurons})")
    a = {name: matrix(value, replica, f"after[{name!r}]") for name, value in after.items()}
    chosen = groups({name: array.shape for name, array in a.items()}, projections)
    if not chosen:
        raise ParameterError("after is empty; it maps projections to weights, such as {'V1': circuit.weights('V1')}")
    shown = {name for group in chosen for name in group}
    if missing := sorted(shown - set(before)):
        raise ParameterError(f"before lacks projection {missing[0]!r} (known: {', '.join(before)})")
    b = {name: matrix(before[name], replica, f"before[{name!r}]") for name in shown}
    for name in shown:
        if a[name].shape != b[name].shape:
            raise ParameterError(f"{name!r} has shape {b[name].shape} before and {a[name].shape} after")
    rows = [_row(group, b, a, max_neurons, (images or {}).get(group[0])) for group in chosen]
    figure = _weight_figure(rows, title)
    save(figure, path)
    return figure


@dataclass(frozen=True)
class _Row:
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


def _row(
    names: tuple[str, ...],
    b: Mapping[str, Array],
    a: Mapping[str, Array],
    max_neurons: int,
    image: tuple[int, int] | None,
) -> _Row:
    """The row of a pair, with all arrays in the orientation of the first: its post downwards, its pre to the right."""
    befores = [b[names[0]], *(b[name].T for name in names[1:])]
    afters = [a[names[0]], *(a[name].T for name in names[1:])]
    n_post, n_pre = afters[0].shape
    posts, pres = neuron_order(np.sum(afters, axis=0))
    posts, pres = thinned(posts, max_neurons), thinned(pres, max_neurons)
    ends = ((posts, n_post, "post"), *([] if image else [(pres, n_pre, "pre")]))
    counts = [f"{len(k)} of {n} {end}synaptic" for k, n, end in ends if len(k) < n]
    note = f"shown: {', '.join(counts)} neurons, evenly spaced in their order" if counts else ""
    heading = " and ".join([names[0], *(f"{name}ᵀ" for name in names[1:])])
    if len(names) == 2:
        heading += f":  cosine {cosine(*befores):.2f} before, {cosine(*afters):.2f} after"

    def view(array: Array) -> Array:
        return mosaic(array[posts], image, names[0]) if image else array[np.ix_(posts, pres)]

    limit = limit_of(np.array([*befores, *afters]))
    axis_names = ("", "") if image else (f"presynaptic of {names[0]}", f"postsynaptic of {names[0]}")
    titles = (names[0], *(f"{name}ᵀ" for name in names[1:]))
    return _Row(titles, tuple(map(view, befores)), tuple(map(view, afters)), limit, heading, note, axis_names)


def _weight_figure(rows: Sequence[_Row], title: str | None) -> Figure:
    """Draw all rows on a figure that is as wide as a slide."""
    head = TOP + (0.5 if title else 0.0)
    height = head + sum(row.above + PANEL + BELOW for row in rows)
    width = max(WIDTH, LEFT + text_size(title or "", POINTS + 5, True)[0] + 0.2)
    figure = Picture(width, height)
    if title:
        figure.headline(LEFT, 0.25, title, POINTS + 5)
    for row in rows:
        _paint_row(figure, row, head)
        head += row.above + PANEL + BELOW
    return figure


def _paint_row(figure: Picture, row: _Row, top: float) -> None:
    figure.headline(LEFT, top, row.heading, POINTS + 2)
    figure.headline(LEFT, top + 0.3, row.note, POINTS - 2, weight="normal", color="#555555")
    left = LEFT
    panel = PANEL if len(row.titles) == 2 else 2 * PANEL + GAP
    for when, matrices in (("before", row.before), ("after", row.after)):
        for k, (name, shown) in enumerate(zip(row.titles, matrices, strict=True)):
            place, aspect = (left, top + row.above, panel, PANEL), "auto" if row.axis_names[0] else "equal"
            title, gid = f"{name} {when}", f"{when}:{name}"
            image = figure.matrix(shown, place, row.limit, title, POINTS, aspect=aspect, gid=gid)
            axes = image.axes
            if kind := kind_of_name(name):
                axes.spines[:].set(color=KIND_COLOURS[kind], linewidth=2.5)
            axes.set_xlabel(row.axis_names[0], size=POINTS - 2)
            axes.set_ylabel(row.axis_names[1] if k == 0 else "", size=POINTS - 2)
            left += panel + GAP
        left += WIDE_GAP - GAP
    figure.colour_bar(image, left - WIDE_GAP + 0.25, top + row.above, PANEL, POINTS)
