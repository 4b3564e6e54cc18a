"""Feedback alignment, in which the error descends through fixed random weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream


def feedback_alignment(
    layers: Sequence[int],
    *,
    eta: float = 0.055,
    gamma: float = 1.6e-4,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 0.84,
    activation: str = "relu",
    loss: str = "cross_entropy",
    bias: bool = False,
    name: str = "feedback_alignment",
) -> cs.Motif:
    """A variant of `motifs.backprop` in which Wt is random and fixed.

    The default rates and `gain_Wt` were found by `examples/tune.py` on Fashion-MNIST (docs/results.md). Those in
    `examples/support/tuned/digits.json` learn faster on digits.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W.
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
        >>> from motifs import feedback_alignment
        >>> feedback_alignment([64, 32, 10]).projection("Wt1").is_plastic
        False

    Source: Lillicrap, Cownden, Tweed & Akerman (2016); Liao et al. (2024), arXiv 2412.20018, Table 2 (FA).
    """
    return two_stream(
        layers,
        W={
            "rule": "eta * ({I_V} * pre - gamma * w)",
            "parameters": {"eta": eta, "gamma": gamma},
            "init": cs.Gaussian(gain_W),
        },
        Wt={"init": cs.Gaussian(gain_Wt, scaling="fan_out"), "plastic": False},
        V=IDENTITY, Vt=IDENTITY, descending="jacobian",
        activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
