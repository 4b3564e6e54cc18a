"""Krotov & Hopfield's rule: of all neurons, the one driven most learns an input and one of the next unlearns it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def krotov_hopfield(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    delta: float = 0.4,
    rival: int = 2,
    power: float = 2.0,
    name: str = "krotov_hopfield",
) -> cs.Motif:
    """Neurons learn from inputs alone, by how their drives rank for each sample::

        u = W x        g_i = 1 for the largest u, -delta for the one `rival` ranks below, 0 for all others
        dw_i = eta g_i (x - u_i w_i)        h = max(u, 0)^power

    Weights start standard normal, and the length of a neuron's weights goes to 1. Starting long, every neuron gets its
    turn to win; with lengths near 1 from the start, one neuron wins for all inputs.

    Args:
        layers: [input, output]; sizes between them are ignored.
        eta: the learning rate.
        delta: the strength of the anti-Hebbian learning.
        rival: the rank of the neuron that unlearns; the winner has rank 0.
        power: the exponent of the activation.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import krotov_hopfield
        >>> krotov_hopfield([64, 32]).population("output").trace
        '(rank(drive) == 0) - 0.4 * (rank(drive) == 2)'

    Source: Krotov & Hopfield (2019), "Unsupervised learning by competing hidden units", PNAS 116(16):7723-7731,
    equations 3, 9 and 10, with p = 2 and R = 1. There the power is 4.5 in the best
    networks, each step is scaled by its largest change, and an output on top learns with a power of the error.
    """
    motif = cs.Motif(name)
    ranks = f"(rank(drive) == 0) - {delta} * (rank(drive) == {rival})"
    motif.add(
        cs.Population("input", layers[0]),
        cs.Population("output", layers[-1], activation=f"relu(drive)**{power}", trace=ranks),
    )
    rule = cs.Rule("eta * post * (pre - drive_post * w)", eta=eta)
    motif.connect("input", "output", name="W", rule=rule, init=cs.Gaussian(math.sqrt(layers[0])))
    return motif
