"""Kolen-Pollack learning: forward and feedback weights receive equal changes, and decay makes them converge."""

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
    """A variant of `motifs.backprop` in which Wt has its own rule, with the same drive, rate and decay as W::

        dW_l = eta (g_{l+1} h_l^T - gamma W)        dWt_l = eta (h_l g_{l+1}^T - gamma Wt)

    The default rates and `gain_Wt` were found by `examples/tune.py` on Fashion-MNIST (docs/results.md).

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W and Wt.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Wt: the gain of Wt's initial weights, whose standard deviation is gain / sqrt(fan-out).
        activation: the activation of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        bias: whether each W is accompanied by a bias unit with W's rule.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: `layers` has fewer than two sizes.
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
