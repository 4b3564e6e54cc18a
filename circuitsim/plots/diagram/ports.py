"""Where along its side of a box each wire starts or ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from circuitsim.plots.diagram.geometry import Array
from circuitsim.plots.diagram.wires import Sides, Wire

PORT_SPACING = 0.27


def ports(wires: Sequence[Wire], sides: Sequence[Sides]) -> list[Sides]:
    """Where along its side each end sits, relative to the side's middle: sorted so that wires do not cross there."""
    ends = defaultdict(list)
    for k, wire in enumerate(wires):
        around = float(sides[k][0] @ sides[k][1]) > 0.5
        for end, (box, other) in enumerate(((wire.pre, wire.post), (wire.post, wire.pre))):
            tangent = np.abs(sides[k][end][::-1])
            away = float((other.centre - box.centre) @ tangent)
            # Nested detours: the longest is the outermost, so it leaves nearest the middle.
            rank = np.sign(away) * (1e3 - abs(away)) if around else away
            if wire.is_self:
                rank = (-1.0, 1.0)[end]
            ends[id(box), *np.round(sides[k][end])].append((round(float(rank), 6), k, end, box.reach(tangent)))
    found = [[np.zeros(2), np.zeros(2)] for _ in wires]
    for entries in ends.values():
        entries.sort(key=lambda entry: entry[:3])
        for (_, k, end, _), shift in zip(entries, _shifts(entries), strict=True):
            found[k][end] = shift * np.abs(sides[k][end][::-1])
    return [(start, stop) for start, stop in found]


def _shifts(entries: Sequence[tuple[float, int, int, float]]) -> Array:
    """Equal spacing with the straight wires (rank 0) around the middle, squeezed to fit the side."""
    ranks = np.array([entry[0] for entry in entries])
    straight = np.flatnonzero(abs(ranks) < 1e-6)
    middle = straight.mean() if len(straight) else (len(ranks) - 1) / 2
    shifts = (np.arange(len(ranks)) - middle) * PORT_SPACING
    room = max(entries[0][3] - 0.08, 0.0)
    return shifts * min(1.0, room / max(float(abs(shifts).max()), 1e-9))
