"""The colours of weights: red positive, blue negative, white 0; safe for colour-blind readers.

In a grey copy the darker is the larger, whatever its sign.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

COLOUR_MAP = "RdBu_r"


def colour_table(n: int = 255) -> list[str]:
    """The colours from the most negative to the most positive weight, as "#rrggbb"; the middle one is that of 0.

    Args:
        n: how many, odd.
    """
    return [to_hex(colour) for colour in matplotlib.colormaps[COLOUR_MAP](np.linspace(0, 1, n))]
