"""Direct Kolen-Pollack learning, in which the error reaches every hidden layer through learned weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def direct_kolen_pollack(
    layers: Sequence[int],
    *,
    eta: float = 0.11,
    eta_V: float = 0.45,
    gamma: float = 7.3e-4,
    gain_W: float = math.sqrt(2),
    gain_V: float = 0.11,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "direct_kolen_pollack",
) -> cs.Motif:
    """SAL without a descending chain, where each V_l comes directly from the error population::

        dW_l = eta (slope * I_V h_l^T - gamma W)        dV_l = eta_V (h_l e^T - gamma V)

    The default rates and `gain_V` were found by `examples/tune.py` on Fashion-MNIST (docs/results.md).

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate of W and the decay rate of W and V.
        eta_V: the learning rate of V, in units of `eta`.
        gain_W, gain_V: the gains of the initial weights, which are Gaussian with standard deviation
            gain / sqrt(fan-in).
        activation, loss, name: as in `motifs.two_stream`.
    Returns:
        The motif.
    Example:
        >>> from motifs import direct_kolen_pollack
        >>> direct_kolen_pollack([64, 32, 32, 10]).projection("V1").pre
        'error'

    Source: Webster, Choi & Ahn, "Learning the Connections in Direct Feedback Alignment" (openreview zgGmAx9ZcY).
    """
    depth = len(layers) - 1
    motif = cs.Motif(name)
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation=activation if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], stream="descending"))
    motif.add(cs.Objective(f"up{depth}", "error", loss=loss))
    for k in range(depth):
        rule = cs.Rule(f"eta * (slope_post * I_V{k + 1} * pre - gamma * w)", eta=eta, gamma=gamma)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))
    for k in range(1, depth):
        rule = cs.Rule("eta * (post * pre - gamma * w)", eta=eta * eta_V, gamma=gamma)
        motif.connect("error", f"up{k}", name=f"V{k}", compartment="dendrite", rule=rule, init=cs.Gaussian(gain_V))
    motif.connect(
        "error", f"up{depth}", name=f"V{depth}", compartment="dendrite", init=cs.Identity(), connectivity=cs.OneToOne()
    )
    return motif
