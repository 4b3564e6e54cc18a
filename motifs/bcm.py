"""BCM: a sliding threshold decides between potentiation and depression."""

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
    """Input onto output neurons, each with a threshold theta that follows the mean square of its activity::

        dw = eta post (post - theta_post) pre        theta <- theta + (E[post^2] - theta) / tau

    Args:
        layers: [input, output]; sizes between them are left out.
        eta: learning rate.
        tau: time constant of the threshold, in steps; must be short against 1 / eta.
        gain_W: start, Gaussian with standard deviation gain / sqrt(fan-in).
        name: of the motif.
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
