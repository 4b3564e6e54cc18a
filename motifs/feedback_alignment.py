"""Feedback alignment: the error descends through fixed random weights."""

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
    """As `motifs.backprop`, but Wt is random and does not change (gain / sqrt(fan-out)).

    Default rates and `gain_Wt`: what `circuitsim tune` found on Fashion-MNIST (docs/results.md); on digits those
    of `circuitsim/studies/tuned/digits.json` learn faster.

    Args:
        layers: sizes of the ascending populations, input and output included.
        eta, gamma: rate and decay of W.
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
