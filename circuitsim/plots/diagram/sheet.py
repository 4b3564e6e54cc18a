"""From places to boxes on paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitsim.motif import Motif
from circuitsim.plots.diagram.geometry import Array, Box
from circuitsim.plots.diagram.layers import Place, is_bias, places
from circuitsim.plots.diagram.spacing import BIAS_SIZE, Spacing, spacing

DEEP = 5  # rows beyond which the sweep runs to the right: slides are wide
RIGHT, UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])

Row = tuple[int, int]  # layer, and lane of populations that need a row of their own


@dataclass(frozen=True)
class Sheet:
    """Boxes of all populations and losses, and what "along the sweep" means on paper.

    Args:
        boxes: by population name.
        biases: names of the bias units among them.
        badges: one box per objective, in order.
        forward: unit vector of the ascending sweep, shape ``[2]``.
        across: unit vector from the ascending to the descending stream, shape ``[2]``.
    """

    boxes: dict[str, Box]
    biases: frozenset[str]
    badges: tuple[Box, ...]
    forward: Array
    across: Array

    @property
    def obstacles(self) -> list[Box]:
        """All boxes, which no wire may cross."""
        return [*self.boxes.values(), *self.badges]


def sheet(motif: Motif, flow: str | None = None) -> Sheet:
    """Streams become columns ("up"), or rows where the motif is deep ("right").

    Populations with a projection to the other stream have a row of their own in both streams, so that straight
    lines join partners whatever lane they are in.
    """
    where = places(motif)
    rows = _rows(motif, where)
    upward = len(set(rows.values())) <= DEEP if flow is None else flow == "up"
    forward, across = (UP, RIGHT) if upward else (RIGHT, UP)
    space = spacing(motif, forward, across)
    at = _positions(rows, {o.output for o in motif.objectives} | {o.error for o in motif.objectives}, space)
    width, height = space.node
    wide = float(space.node @ across)
    boxes = {}
    for name, place in where.items():
        side = -1 if motif.population(name).stream == "ascending" else 1
        centre = at[rows[name]] * forward + side * (space.gap / 2 + wide / 2 + place.lane * space.lane) * across
        boxes[name] = Box.at(centre, width / 2, height / 2)
    biases = _place_biases(motif, boxes, forward, across, wide / 2 + space.bias)
    return Sheet(boxes, biases, _place_badges(motif, boxes, forward, across, space), forward, across)


def _rows(motif: Motif, where: dict[str, Place]) -> dict[str, Row]:
    streams = {p.name: p.stream for p in motif.populations}
    crossing = {end for p in motif.projections if streams[p.pre] != streams[p.post] for end in (p.pre, p.post)}
    crossing |= {end for o in motif.objectives for end in (o.output, o.error)}
    return {name: (place.layer, place.lane if name in crossing else 0) for name, place in where.items()}


def _positions(rows: dict[str, Row], judged: set[str], space: Spacing) -> dict[Row, float]:
    """Where along the sweep each row lies; beyond a row with an objective there is room for its badge."""
    before_badge = {rows[name] for name in judged}
    found: dict[Row, float] = {}
    at, last = 0.0, None
    for row in sorted(set(rows.values())):
        if last is not None:
            at += space.row if row[0] == last[0] and last not in before_badge else space.layer
        found[row], last = at, row
    return found


def _place_biases(
    motif: Motif, boxes: dict[str, Box], forward: Array, across: Array, distance: float
) -> frozenset[str]:
    """Each on the outer side of the first population that it drives; further ones take turns above and below."""
    names = [p.name for p in motif.populations if is_bias(motif, p)]
    crowd: dict[str, int] = {}
    for name in names:
        target = next(p.post for p in motif.projections if p.pre == name)
        side = -1 if motif.population(target).stream == "ascending" else 1
        k = crowd[target] = crowd.get(target, -1) + 1
        step = (-1) ** k * ((k + 1) // 2) * (BIAS_SIZE + 0.06)
        centre = boxes[target].centre + side * distance * across + step * forward
        boxes[name] = Box.at(centre, BIAS_SIZE / 2, BIAS_SIZE / 2)
    return frozenset(names)


def _place_badges(
    motif: Motif, boxes: dict[str, Box], forward: Array, across: Array, space: Spacing
) -> tuple[Box, ...]:
    """Between the streams, half a layer beyond the output."""
    found: list[Box] = []
    for objective, (width, height) in zip(motif.objectives, space.badges, strict=True):
        output, error = boxes[objective.output].centre, boxes[objective.error].centre
        top, middle = max(float(output @ forward), float(error @ forward)), float((output + error) @ across) / 2
        is_last = top >= max(float(box.centre @ forward) for box in boxes.values()) - 1e-9
        beyond = max(space.layer / 2, (width * forward[0] / 2 + 0.7) if is_last else 0.0)  # clear of a label there
        box = Box.at(((top + beyond) * forward + middle * across), width / 2, height / 2)
        while any(box.overlaps(other.padded(0.05)) for other in (*found, *boxes.values())):
            box = Box.at((box.centre + 0.2 * forward), width / 2, height / 2)
        found.append(box)
    return tuple(found)
