"""The way of each wire: around boxes, apart from other wires, in order at each side of a box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from circuitsim.plots.diagram.geometry import Array, Box, bezier
from circuitsim.plots.diagram.ports import ports
from circuitsim.plots.diagram.wires import Sides, Wire

T = TypeVar("T")

CLEARANCE = 0.09
BULGES = (0.55, 0.8, 1.1, 1.5, 2.0, 2.6, 3.4)  # inches, of a wire that leaves and enters on the same side
STRETCHES = (0.5, 0.3, 0.9, 0.15, 1.5)  # share of the distance, of a wire between sides that face each other


@dataclass(frozen=True, eq=False)
class Route:
    """A wire's curve, shape ``[sample, 2]``, and the outward directions of the sides at its two ends."""

    wire: Wire
    curve: Array
    sides: Sides


def routes(wires: Sequence[Wire], obstacles: Sequence[Box]) -> list[Route]:
    """Curves for all wires, in their order.

    First every wire chooses sides as if alone; then the ends at each side are spread out; then, from the shortest
    to the longest, each takes the gentlest curve that hits no box and runs apart from those before.
    """
    sides = [_best_sides(wire, obstacles) for wire in wires]
    offsets = ports(wires, sides)
    found: dict[int, Route] = {}
    for k in sorted(range(len(wires)), key=lambda k: _length(wires[k])):
        earlier = [route.curve for route in found.values()]

        def cost(curve: Array, wire: Wire = wires[k], earlier: list[Array] = earlier) -> float:
            apart = _crowding(curve, earlier) + 0.4 * crossings(curve, earlier)
            return 10 * _hits(wire, curve, obstacles) + apart + _bend(curve)

        found[k] = Route(wires[k], cheapest(_curves(wires[k], sides[k], offsets[k]), cost), sides[k])
    return [found[k] for k in range(len(wires))]


def _best_sides(wire: Wire, obstacles: Sequence[Box]) -> Sides:
    def hits(curve: Array) -> float:
        return _hits(wire, curve, obstacles)

    def cost(option: tuple[int, Sides]) -> float:
        k, sides = option
        return hits(cheapest(_curves(wire, sides, (np.zeros(2), np.zeros(2))), hits)) + 0.5 * k

    return cheapest(enumerate(wire.options), cost)[1]


def cheapest(candidates: Iterable[T], cost: Callable[[T], float]) -> T:
    """The candidate of least cost; the search ends at the first that costs (next to) nothing."""
    best: list[T] = []
    least = float("inf")
    for candidate in candidates:
        if (found := cost(candidate)) < least:
            best, least = [candidate], found
        if least < 1e-6:
            break
    return best[0]


def _curves(wire: Wire, sides: Sides, offsets: Sides) -> Iterator[Array]:
    """Candidates, the gentlest first."""
    start = wire.pre.centre + wire.pre.reach(sides[0]) * sides[0] + offsets[0]
    end = wire.post.centre + wire.post.reach(sides[1]) * sides[1] + offsets[1]
    if sides[0] @ sides[1] > 0.5:  # around
        level = max(float(start @ sides[0]), float(end @ sides[0]))
        for bulge in BULGES if not wire.is_self else (0.65,):
            out = [bulge + level - float(point @ sides[0]) for point in (start, end)]
            fan = 0.5 * (start - end) / max(float(np.hypot(*(start - end))), 1e-9) if wire.is_self else np.zeros(2)
            yield bezier(start, out[0] * sides[0] + fan, out[1] * sides[1] - fan, end)
        return
    reach = max(float(abs((end - start) @ sides[0])), 0.4)
    if abs(sides[0] @ sides[1]) < 0.5:  # a quarter turn
        yield bezier(
            start, 0.6 * abs((end - start) @ sides[0]) * sides[0], 0.6 * abs((end - start) @ sides[1]) * sides[1], end
        )
        return
    for out_share in STRETCHES:
        for in_share in STRETCHES:
            yield bezier(start, out_share * reach * sides[0], in_share * reach * sides[1], end)


def _hits(wire: Wire, curve: Array, obstacles: Sequence[Box]) -> float:
    """How many samples lie in (or too near) a box that the wire has no business with, or within its own."""
    total = 0
    for box in obstacles:
        own = box is wire.pre or box is wire.post
        total += int(box.padded(-0.03 if own else CLEARANCE).holds(curve).sum())
    return float(total)


def _crowding(curve: Array, earlier: Sequence[Array]) -> float:
    """Samples that run along an earlier wire, a crossing being none; the ends, which may share a side, are left out."""
    middle = curve[8:-8]
    near = [np.hypot(*(middle[:, None] - other[None, ::2]).transpose(2, 0, 1)).min(1) < 0.12 for other in earlier]
    return 0.15 * float(sum(max(int(n.sum()) - 6, 0) for n in near))


def crossings(curve: Array, others: Sequence[Array]) -> float:
    """How often a curve, shape ``[sample, 2]``, crosses others of as many samples."""
    if not others:
        return 0.0
    a, b = curve[None, ::2], np.stack(others)[:, ::2]
    p, r = a[:, :-1, None], np.diff(a, axis=1)[:, :, None]
    q, s = b[:, None, :-1], np.diff(b, axis=1)[:, None]
    area = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    area = np.where(abs(area) < 1e-12, np.inf, area)  # parallel: no crossing
    d = q - p
    t, u = ((d[..., 0] * v[..., 1] - d[..., 1] * v[..., 0]) / area for v in (s, r))
    inside = (t >= 0) & (t < 1) & (u >= 0) & (u < 1) & np.isfinite(area)
    return float(inside.sum())


def _bend(curve: Array) -> float:
    """Extra length over the straight line: the tie-breaker."""
    return 0.05 * (float(np.hypot(*np.diff(curve, axis=0).T).sum()) - float(np.hypot(*(curve[-1] - curve[0]))))


def _length(wire: Wire) -> float:
    return float(np.hypot(*(wire.post.centre - wire.pre.centre)))
