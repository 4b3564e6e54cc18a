"""How far things stand apart on paper, so that every text fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from circuitsim.motif import Motif, Projection
from circuitsim.plots.diagram.captions import caption, label, loss_caption
from circuitsim.plots.diagram.geometry import Array, text_size
from circuitsim.plots.diagram.layers import is_bias

NAME_POINTS, SMALL_POINTS, LABEL_POINTS = 15.0, 12.5, 13.0
NODE_WIDTH, NODE_HEIGHT, LINE_HEIGHT, BIAS_SIZE = 1.3, 0.74, 0.22, 0.36  # the first two at least
HEAD_AND_STUB = 0.62  # of a wire, beside its label


@dataclass(frozen=True)
class Spacing:
    """Sizes and distances in inches.

    Args:
        node: width and height of a population's box, shape ``[2]``.
        badges: width and height of each objective's box, shape ``[2]`` each.
        layer: from one layer to the next, centre to centre along the sweep.
        row: from one row to the next within a layer.
        gap: between the streams, edge to edge.
        lane: from one lane of a stream to the next, centre to centre.
        bias: from the edge of a population to the centre of its bias unit.
    """

    node: Array
    badges: tuple[Array, ...]
    layer: float
    row: float
    gap: float
    lane: float
    bias: float


def spacing(motif: Motif, forward: Array, across: Array) -> Spacing:
    """Distances for a sweep in the direction `forward`, with the streams apart in the direction `across`."""
    streams = {p.name: p.stream for p in motif.populations}
    biases = {p.name for p in motif.populations if is_bias(motif, p)}
    from_bias = [p for p in motif.projections if p.pre in biases]
    crossing = [p for p in motif.projections if streams[p.pre] != streams[p.post]]
    others = [p for p in motif.projections if p not in from_bias and p not in crossing and p.pre != p.post]
    soma = [p for p in others if p.target == "soma"]
    dendrite = [p for p in others if p.target == "dendrite"]
    node = _node(motif)
    badges = tuple(np.array(text_size(loss_caption(o), SMALL_POINTS)) + np.array([0.3, 0.14]) for o in motif.objectives)
    bias = 0.3 + _longest(from_bias, forward, across)
    # Names of parallel wires are stacked where the wires are upright; wires of a fan need room to part.
    stack = 0.22 * float(forward[1]) * (_most((p.pre, p.post) for p in soma) - 1)
    fan = 0.12 * (_most(p.pre for p in crossing) - 2)
    between = [0.8 + HEAD_AND_STUB, _longest(crossing, forward, across), *(float(b @ across) - 0.2 for b in badges)]
    along = float(node @ forward) + max(0.35, _longest(soma, forward, forward)) + HEAD_AND_STUB
    return Spacing(
        node=node,
        badges=badges,
        layer=max([along, *(float(b @ forward) + 0.55 for b in badges)]) + max(stack, 0.0),
        row=float(node @ forward) + 0.32,
        gap=max(between) + 0.3 + max(fan, 0.0),
        lane=float(node @ across) + max(0.75, _longest(dendrite, forward, across) + 0.4) + (bias if biases else 0.0),
        bias=bias + BIAS_SIZE / 2,
    )


def _longest(projections: Iterable[Projection], forward: Array, direction: Array) -> float:
    """The largest extent of a label in a direction."""
    texts = [label(p, narrow=bool(forward[0])) for p in projections]
    return max((float(np.array(text_size(text, LABEL_POINTS, True)) @ direction) for text in texts), default=0.0)


def _most(keys: Iterable[object]) -> int:
    return max(Counter(keys).values(), default=0)


def _node(motif: Motif) -> Array:
    """One width and height for all boxes."""
    width, lines = NODE_WIDTH, 1
    for population in motif.populations:
        if not is_bias(motif, population):
            name, below, glyph = caption(motif, population)
            lines = max(lines, 1 + below.count("\n"))
            beside = 0.5 if glyph else 0.0
            texts = text_size(name, NAME_POINTS, True)[0], text_size(below, SMALL_POINTS)[0] + beside
            width = max(width, *(text + 0.35 for text in texts))
    return np.array([width, NODE_HEIGHT + (lines - 1) * LINE_HEIGHT])
