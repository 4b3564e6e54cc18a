"""Where each wire's name goes: on its wire, off boxes, other names and other wires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from circuitsim.plots.diagram.geometry import Array, Box, along, text_size
from circuitsim.plots.diagram.routes import cheapest

SHARES = (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.25, 0.75, 0.2, 0.8)  # of the wire's length
BESIDE = 0.3  # cost of a label beside its wire; one on its wire costs nothing, one that covers another wire 1
HEAD = 0.2  # inches at the end that are no line


def label_boxes(curves: Sequence[Array], texts: Sequence[str], points: float, obstacles: Sequence[Box]) -> list[Box]:
    """One box per text, for the first of the curves (shape ``[sample, 2]`` each); the others are only kept clear."""
    found: list[Box] = []
    for k, text in enumerate(texts):
        width, height = text_size(text, points, True)
        others = [curve for j, curve in enumerate(curves) if j != k]

        def cost(candidate: tuple[Box, float], others: list[Array] = others) -> float:
            return candidate[1] + _cost(candidate[0], others, obstacles, found)

        found.append(cheapest(_candidates(curves[k], width / 2 + 0.04, height / 2 + 0.01), cost)[0])
    return found


def _candidates(curve: Array, half_width: float, half_height: float) -> Iterator[tuple[Box, float]]:
    length = float(np.hypot(*np.diff(curve, axis=0).T).sum()) - HEAD
    for j, share in enumerate(SHARES):
        point, n = along(curve, share * length)
        run = curve[min(n + 1, len(curve) - 1)] - curve[max(n - 2, 0)]
        normal = np.array([-run[1], run[0]]) / max(float(np.hypot(*run)), 1e-9)
        aside = abs(normal[0]) * half_width + abs(normal[1]) * half_height + 0.05
        for side in (0, 1, -1):
            x, y = point + side * aside * normal
            yield Box(float(x), float(y), half_width, half_height), 0.01 * j + BESIDE * abs(side)


def _cost(box: Box, others: Sequence[Array], obstacles: Sequence[Box], taken: Sequence[Box]) -> float:
    covered = sum(int(box.holds(curve).any()) for curve in others)
    return 20.0 * sum(box.overlaps(o) for o in obstacles) + 10.0 * sum(box.overlaps(t) for t in taken) + 1.0 * covered
