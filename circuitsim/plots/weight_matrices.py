"""Weight matrices before and after learning."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.plots.matrices import Array, cosine, groups, matrix
from circuitsim.plots.mosaic import mosaic
from circuitsim.plots.neuron_order import neuron_order, thinned
from circuitsim.plots.picture import check_path, save
from circuitsim.plots.weight_rows import Row, weight_figure


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
        path: where to save the figure (.png, .svg or .pdf), or None.
        projections: the projections to show; by default all of `after`. V1 and Vt1 (or W1 and Wt1) of mirrored shapes
            are shown as a pair.
        replica: the index of the replica to show.
        title: the figure's title; by default none.
        max_neurons: larger populations are thinned to this many neurons, evenly spaced in their order.
        images: projection -> (height, width) of the image that its presynaptic neurons form. Each postsynaptic neuron
            is then shown as one tile.
    Returns:
        The figure.
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
    figure = weight_figure(rows, title)
    save(figure, path)
    return figure


def _row(
    names: tuple[str, ...],
    b: Mapping[str, Array],
    a: Mapping[str, Array],
    max_neurons: int,
    image: tuple[int, int] | None,
) -> Row:
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

    limit = float(np.percentile(np.abs([*befores, *afters]), 99.5)) or 1.0
    axis_names = ("", "") if image else (f"presynaptic of {names[0]}", f"postsynaptic of {names[0]}")
    titles = (names[0], *(f"{name}ᵀ" for name in names[1:]))
    return Row(titles, tuple(map(view, befores)), tuple(map(view, afters)), limit, heading, note, axis_names)
