"""The BCM rule, in which a sliding threshold separates depression from potentiation."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def bcm(
    layers: Sequence[int],
    *,
    eta: float = 0.002,
    tau: float = 20.0,
    gain_W: float = 0.5,
    name: str = "bcm",
) -> cs.Motif:
    """An input onto output neurons, each with a threshold theta that tracks the mean square of its activity::

        dw = eta post (post - theta_post) pre        theta <- theta + (E[post^2] - theta) / tau

    Args:
        layers: [input, output]; sizes between them are ignored.
        eta: the learning rate.
        tau: the time constant of the threshold, in steps; it must be short compared with 1 / eta.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import bcm
        >>> bcm([64, 10]).population("output").state["theta"].start
        1.0

    Source: Bienenstock, Cooper & Munro (1982), J. Neurosci. 2:32; the quadratic threshold: Intrator & Cooper (1992).
    """
    motif = cs.Motif(name)
    motif.add(cs.Population("input", layers[0]))
    threshold = cs.State("theta + (activity**2 - theta) / tau", start=1.0, tau=tau)
    motif.add(cs.Population("output", layers[-1], activation="relu", state={"theta": threshold}))
    motif.connect(
        "input", "output", name="W", rule=cs.Rule("eta * post * (post - theta_post) * pre", eta=eta),
        init=cs.Gaussian(gain_W),
    )  # fmt: skip
    return motif
