"""The colours of weights: red for positive, blue for negative and white for 0, safe for colour-blind readers.

In a grey copy, darker means a larger absolute value.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

COLOUR_MAP = "RdBu_r"


def colour_table(n: int = 255) -> list[str]:
    """The colours from the most negative to the most positive weight, as "#rrggbb"; the middle one is that of 0.

    Args:
        n: the number of colours, which must be odd.
    """
    return [to_hex(colour) for colour in matplotlib.colormaps[COLOUR_MAP](np.linspace(0, 1, n))]
