"""Kolen-Pollack: forward and feedback weights change alike, so that decay makes them equal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream


def kolen_pollack(
    layers: Sequence[int],
    *,
    eta: float = 0.48,
    gamma: float = 8e-4,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 0.1,
    activation: str = "relu",
    loss: str = "cross_entropy",
    bias: bool = False,
    name: str = "kolen_pollack",
) -> cs.Motif:
    """As `motifs.backprop`, but Wt has a rule of its own, with the same drive, rate and decay as W::

        dW_l = eta (g_{l+1} h_l^T - gamma W)        dWt_l = eta (h_l g_{l+1}^T - gamma Wt)

    Default rates and `gain_Wt`: what `circuitsim tune` found on Fashion-MNIST (docs/results.md).

    Args:
        layers: sizes of the ascending populations, input and output included.
        eta, gamma: rate and decay of W and Wt.
        gain_W: start, Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Wt: start of Wt, gain / sqrt(fan-out).
        activation: of the hidden populations.
        loss: as in `circuitsim.Objective`.
        bias: whether each W has a bias unit beside it, with W's rule.
        name: of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: fewer than two sizes.
    Example:
        >>> from motifs import kolen_pollack
        >>> kolen_pollack([64, 32, 10]).projection("Wt1").is_plastic
        True

    Source: Kolen & Pollack (1994); Akrout et al. (2019); Liao et al. (2024), arXiv 2412.20018, Table 2 (KP).
    """
    parameters = {"eta": eta, "gamma": gamma}
    return two_stream(
        layers,
        W={"rule": "eta * ({I_V} * pre - gamma * w)", "parameters": parameters, "init": cs.Gaussian(gain_W)},
        Wt={
            "rule": "eta * ({I_Vt} * pre - gamma * w)",
            "parameters": parameters,
            "init": cs.Gaussian(gain_Wt, scaling="fan_out"),
        },
        V=IDENTITY, Vt=IDENTITY, descending="jacobian",
        activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
