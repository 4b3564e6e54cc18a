"""Boxes, curves and lengths of text. All lengths are inches on paper, x to the right and y up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

Array = NDArray[np.float64]

N_SAMPLES = 60


@dataclass(frozen=True)
class Box:
    """An upright rectangle: centre (x, y) and half its width and height."""

    x: float
    y: float
    half_width: float
    half_height: float

    @classmethod
    def at(cls, centre: Array, half_width: float, half_height: float) -> Box:
        """The box around a point, shape ``[2]``."""
        return cls(float(centre[0]), float(centre[1]), half_width, half_height)

    @property
    def centre(self) -> Array:
        """Shape ``[2]``."""
        return np.array([self.x, self.y])

    def reach(self, direction: Array) -> float:
        """Distance from the centre to the side that lies in an upright unit direction, shape ``[2]``."""
        return float(abs(direction[0]) * self.half_width + abs(direction[1]) * self.half_height)

    def padded(self, margin: float) -> Box:
        """The box with `margin` more on each side."""
        return Box(self.x, self.y, self.half_width + margin, self.half_height + margin)

    def overlaps(self, other: Box) -> bool:
        """Whether the two share a point."""
        apart_x, apart_y = abs(self.x - other.x), abs(self.y - other.y)
        return apart_x < self.half_width + other.half_width and apart_y < self.half_height + other.half_height

    def holds(self, points: Array) -> NDArray[np.bool_]:
        """Which points, shape ``[point, 2]``, lie inside."""
        return (abs(points[:, 0] - self.x) < self.half_width) & (abs(points[:, 1] - self.y) < self.half_height)


def bezier(start: Array, out: Array, into: Array, end: Array) -> Array:
    """The cubic curve from `start` to `end` with control points `start + out` and `end + into`, ``[sample, 2]``."""
    t = np.linspace(0, 1, N_SAMPLES)[:, None]
    return (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * (start + out) + 3 * (1 - t) * t**2 * (end + into) + t**3 * end


def along(curve: Array, distance: float) -> tuple[Array, int]:
    """The point so far along a curve (from its end if negative), and the number of samples before it."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    lengths = np.concatenate([[0.0], np.cumsum(steps)])
    target = np.clip(distance if distance >= 0 else lengths[-1] + distance, 0, lengths[-1])
    point = np.array([np.interp(target, lengths, curve[:, k]) for k in (0, 1)])
    return point, int(np.searchsorted(lengths, target))


@cache
def text_size(text: str, points: float, bold: bool = False) -> tuple[float, float]:
    """Width and height of a text, in inches; lines are separated by newlines."""
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    lines = text.split("\n")
    width = max(
        (TextPath((0, 0), line, size=points, prop=font).get_extents().width for line in lines if line.strip()),
        default=0.0,
    )
    return width / 72, 1.2 * points * len(lines) / 72
