"""Földiák's network: Hebbian synapses, anti-Hebbian lateral inhibition and thresholds make a sparse code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import circuitsim as cs


def foldiak(
    layers: Sequence[int],
    *,
    alpha: float = 0.1,
    beta: float = 0.02,
    gamma: float = 0.02,
    p: float = 0.125,
    steepness: float = 10.0,
    iterations: int = 20,
    rate: float = 0.3,
    name: str = "foldiak",
) -> cs.Motif:
    """Activities u settle under lateral inhibition, and are then rounded to y, which is 1 with probability p::

        u_i <- u_i + rate (f(sum_j q_ij x_j + sum_j w_ij u_j - t_i) - u_i)    f(a) = 1 / (1 + exp(-steepness a))
        y_i = 1 if u_i > 1/2, else 0
        dw_ij = -alpha (y_i y_j - p^2), w_ij <= 0        dq_ij = beta y_i (x_j - q_ij)        dt_i = gamma (y_i - p)

    Args:
        layers: [input, output]; sizes between them are ignored.
        alpha: the rate of the lateral synapses.
        beta: the rate of the synapses from the input.
        gamma: the rate of the thresholds.
        p: the fraction of samples for which a neuron should be active.
        steepness: the slope of the activation times 4.
        iterations: how many times the activities move.
        rate: the step of an iteration.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import foldiak
        >>> foldiak([64, 16]).projection("L").bounds
        (None, 0.0)

    Source: Földiák (1990), Biol. Cybern. 64:165-170. Here activities move by steps of an iteration, and changes are
    the means of a batch; the lengths of the rows of Q are not normalised at the start.
    """
    motif, n = cs.Motif(name), layers[-1]
    settle = f"previous + {rate} * (1 / (1 + exp(-{steepness} * (drive - t))) - previous)"
    threshold = cs.State("t + gamma * ((activity > 0.5) - p)", start=1.0, gamma=gamma, p=p)
    motif.add(cs.Population("input", layers[0]))
    motif.add(cs.Population("output", n, activation=settle, trace="activity > 0.5", state={"t": threshold}))
    motif.connect(
        "input", "output", name="Q", rule=cs.Rule("eta * post * (pre - w)", eta=beta),
        init=cs.Gaussian(1.0, sign="positive"),
    )  # fmt: skip
    motif.connect(
        "output", "output", name="L", rule=cs.Rule("-eta * (post * pre - p**2)", eta=alpha, p=p), delay=1,
        connectivity=cs.Mask(~np.eye(n, dtype=bool)), init=cs.Constant(0.0), bounds=(None, 0.0),
    )  # fmt: skip
    motif.add(cs.Phase("settle", repeat=iterations))
    return motif
