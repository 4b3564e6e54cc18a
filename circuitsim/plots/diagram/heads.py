"""What a projection ends with: an arrow at a soma, a dot at a dendrite; barbed or hollow if descending."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Circle, Patch, Polygon

from circuitsim.plots.diagram.geometry import Array
from circuitsim.plots.style import KIND_COLOURS, Kind

LENGTHS: dict[Kind, float] = {"W": 0.22, "Wt": 0.25, "V": 0.18, "Vt": 0.18}  # inches taken off the line's end
OVERLAP = 0.03  # of line and arrow, so that no gap shows


def head(kind: Kind, tip: Array, direction: Array) -> Patch:
    """The head whose point is at `tip`, shape ``[2]``, coming along the unit vector `direction`."""
    colour, normal = KIND_COLOURS[kind], np.array([-direction[1], direction[0]])
    back = tip - LENGTHS[kind] * direction
    if kind in ("W", "Wt"):
        corners = [tip, back + 0.115 * normal, back - 0.115 * normal]
        if kind == "Wt":
            corners.insert(2, back + 0.09 * direction)  # barbed
        return Polygon(
            np.array(corners), closed=True, facecolor=colour, edgecolor=colour, linewidth=0.6, joinstyle="miter"
        )
    radius = LENGTHS[kind] / 2 - 0.015
    centre = tip - (radius + 0.015) * direction
    face = colour if kind == "V" else "white"
    return Circle((float(centre[0]), float(centre[1])), radius, facecolor=face, edgecolor=colour, linewidth=2.2)
