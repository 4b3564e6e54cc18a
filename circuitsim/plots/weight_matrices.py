"""Matrices before and after learning: weights, and similarities such as W W^T and h h^T."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from circuitsim.errors import ParameterError
from circuitsim.plots.matrices import Array, cosine, groups, limit_of, matrix, mosaic, neuron_order, thinned
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.style import KIND_COLOURS, kind_of_name

POINTS = 13.0
# In inches: a panel, the gaps within a pair and between before and after, and the colour bar; then the margins.
PANEL, GAP, WIDE_GAP, BAR = 2.55, 0.3, 0.75, 0.2
LEFT, RIGHT, TOP, ABOVE, BELOW = 0.6, 1.1, 0.3, 0.7, 0.6
WIDTH = LEFT + 4 * PANEL + 2 * GAP + WIDE_GAP + 0.25 + BAR + RIGHT
SIDE, BETWEEN, ASIDE, HEADING = 2.5, 0.35, 1.1, 0.6  # of similarities: a panel, the gap, the left and the upper margin


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
    shown = [name for group in chosen for name in group]
    if missing := [name for name in shown if name not in before]:
        raise ParameterError(f"before lacks projection {missing[0]!r} (known: {', '.join(before)})")
    b = {name: matrix(before[name], replica, f"before[{name!r}]") for name in shown}
    for name in shown:
        if a[name].shape != b[name].shape:
            raise ParameterError(f"{name!r} has shape {b[name].shape} before and {a[name].shape} after")
    rows = [_Row(group, b, a, max_neurons, (images or {}).get(group[0])) for group in chosen]
    head = TOP + (0.5 if title else 0.0)
    height = head + sum(row.above + PANEL + BELOW for row in rows)
    figure = Picture(max(WIDTH, LEFT + text_size(title or "", POINTS + 5, True)[0] + 0.2), height)
    figure.headline(LEFT, 0.25, title or "", POINTS + 5)
    for row in rows:
        row.paint(figure, head)
        head += row.above + PANEL + BELOW
    return save(figure, path)


class _Row:
    """A matrix or a pair of them, before and after, in the orientation of the first: its post downwards, its pre to the
    right. Where `image` is a shape, presynaptic neurons form images."""

    def __init__(
        self, names: tuple[str, ...], before: Mapping[str, Array], after: Mapping[str, Array], max_neurons: int,
        image: tuple[int, int] | None,
    ) -> None:  # fmt: skip
        self.name, self.titles = names[0], (names[0], *(f"{name}ᵀ" for name in names[1:]))
        befores, afters = ([of[names[0]], *(of[name].T for name in names[1:])] for of in (before, after))
        n_post, n_pre = afters[0].shape
        posts, pres = (thinned(order, max_neurons) for order in neuron_order(np.sum(afters, axis=0)))
        ends = ((posts, n_post, "post"), *([] if image else [(pres, n_pre, "pre")]))
        counts = [f"{len(k)} of {n} {end}synaptic" for k, n, end in ends if len(k) < n]
        self.note = f"shown: {', '.join(counts)} neurons, evenly spaced in their order" if counts else ""
        self.above = ABOVE + (0.25 if counts else 0.0)  # from the row's upper edge to its panels, in inches
        self.heading = " and ".join(self.titles)
        if len(names) == 2:
            self.heading += f":  cosine {cosine(*befores):.2f} before, {cosine(*afters):.2f} after"

        def view(array: Array) -> Array:
            return mosaic(array[posts], image, self.name) if image else array[np.ix_(posts, pres)]

        self.limit, self.are_images = limit_of(np.array([*befores, *afters])), image is not None
        self.shown = {"before": list(map(view, befores)), "after": list(map(view, afters))}

    def paint(self, figure: Picture, top: float) -> None:
        figure.headline(LEFT, top, self.heading, POINTS + 2)
        figure.headline(LEFT, top + 0.3, self.note, POINTS - 2, weight="normal", color="#555555")
        left, panel = LEFT, PANEL if len(self.titles) == 2 else 2 * PANEL + GAP
        for when, matrices in self.shown.items():
            for k, (name, shown) in enumerate(zip(self.titles, matrices, strict=True)):
                place, aspect = (left, top + self.above, panel, PANEL), "equal" if self.are_images else "auto"
                title, gid = f"{name} {when}", f"{when}:{name}"
                image = figure.matrix(shown, place, self.limit, title, POINTS, aspect=aspect, gid=gid)
                if kind := kind_of_name(name):
                    image.axes.spines[:].set(color=KIND_COLOURS[kind], linewidth=2.5)
                if not self.are_images:
                    image.axes.set_xlabel(f"presynaptic of {self.name}", size=POINTS - 2)
                    image.axes.set_ylabel(f"postsynaptic of {self.name}" if k == 0 else "", size=POINTS - 2)
                left += panel + GAP
            left += WIDE_GAP - GAP
        figure.colour_bar(image, left - WIDE_GAP + 0.25, top + self.above, PANEL, POINTS)


def similarity(
    pairs: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw a row per site, with a panel before and a panel after learning for each matrix, red positive, blue negative.

    Each matrix is scaled to a largest absolute entry of 1, to compare structure rather than size. The neurons of a row
    are sorted by the leading eigenvector of its first matrix after learning.

    Args:
        pairs: site -> name -> (before, after), each of shape ``[neuron, neuron]``, with one size for all matrices of a
            site.
    Raises:
        ParameterError: `pairs` or a site is empty, or a matrix is not square and finite or has another size.
    Example:
        >>> import numpy as np
        >>> from circuitsim.plots import similarity
        >>> figure = similarity({"up1": {"h h^T": (np.eye(4), np.ones((4, 4)))}})
    """
    check_path(path)
    if not pairs or not all(pairs.values()):
        raise ParameterError("pairs is empty; it maps sites to matrices before and after")
    columns = 2 * max(len(row) for row in pairs.values())
    figure = Picture(ASIDE + columns * (SIDE + BETWEEN), HEADING + len(pairs) * (SIDE + 0.5))
    figure.headline(0.2, 0.35, title, POINTS + 1, va="baseline")
    for r, (site, row) in enumerate(pairs.items()):
        order = neuron_order(_square(next(iter(row.values()))[1], site))[0]
        top = HEADING + r * (SIDE + 0.5) + 0.15
        figure.headline(0.2, top + SIDE / 2, site, POINTS, va="center")
        for c, (name, when, array) in enumerate(
            (name, when, array)
            for name, both in row.items()
            for when, array in zip(("before", "after"), both, strict=True)
        ):
            square = _square(array, f"{site}: {name} {when}")
            if len(square) != len(order):
                raise ParameterError(f"{site}: {name} {when} has {len(square)} neurons, others have {len(order)}")
            shown = square[np.ix_(order, order)]
            at, limit = (ASIDE + c * (SIDE + BETWEEN), top, SIDE, SIDE), float(np.abs(shown).max()) or 1.0
            figure.matrix(shown / limit, at, 1, f"{name} {when}", POINTS - 1, gid=f"{site}:{name}:{when}")
    return save(figure, path)


def _square(array: ArrayLike, owner: str) -> np.ndarray:
    found = np.asarray(array, dtype=float)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not np.isfinite(found).all():
        raise ParameterError(f"{owner} must be a square matrix of finite numbers (got shape {found.shape})")
    return found
