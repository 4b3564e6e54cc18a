"""Oja's rule: a Hebbian neuron whose weights stay bounded finds the first principal component of its input."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def oja(layers: Sequence[int], *, eta: float = 0.005, gain_W: float = 0.5, name: str = "oja") -> cs.Motif:
    """Linear neurons, each of which learns by itself::

        y = W x        dw_ij = eta y_i (x_j - y_i w_ij)

    Each row of W converges to the first eigenvector of E[x x^T], with length 1 and either sign.

    Args:
        layers: [input, output]; sizes between them are ignored.
        eta: the learning rate; eta times the largest eigenvalue of E[x x^T] must be well below 1.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import oja
        >>> oja([64, 2]).projection("W").rule
        Rule('eta * post * (pre - post * w)', eta=0.005)

    Source: Oja (1982), J. Math. Biol. 15:267-273.
    """
    motif = cs.Motif(name)
    motif.add(cs.Population("input", layers[0]), cs.Population("output", layers[-1]))
    motif.connect(
        "input", "output", name="W", rule=cs.Rule("eta * post * (pre - post * w)", eta=eta), init=cs.Gaussian(gain_W)
    )
    return motif
