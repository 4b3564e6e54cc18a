"""A linear classifier with one plastic projection and the delta rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.backprop import backprop


def linear(
    layers: Sequence[int],
    *,
    eta: float = 0.03,
    gamma: float = 0.0,
    gain_W: float = math.sqrt(2),
    loss: str = "cross_entropy",
    bias: bool = True,
    name: str = "linear",
) -> cs.Motif:
    """A projection from the input directly onto the output, equal to logistic regression trained by SGD.

    Args:
        layers: the sizes of the populations; all but the first and the last are ignored.
        eta, gamma: the learning rate and the decay rate of W.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        loss, bias, name: as in `motifs.backprop`.
    Returns:
        The motif.
    Example:
        >>> from motifs import linear
        >>> linear([64, 32, 10])
        Motif('linear': 4 populations, 3 projections, 1 objectives)

    Source: Widrow & Hoff (1960); the linear model of Liao et al. (2024), arXiv 2412.20018, Figure 4.
    """
    ends = [layers[0], layers[-1]]
    return backprop(ends, eta=eta, gamma=gamma, gain_W=gain_W, loss=loss, bias=bias, name=name)
