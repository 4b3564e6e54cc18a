"""Backpropagation: the two-stream circuit with its feedback tied to the forward weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream


def backprop(
    layers: Sequence[int],
    *,
    eta: float = 0.27,
    gamma: float = 3.4e-6,
    gain_W: float = math.sqrt(2),
    activation: str = "relu",
    loss: str = "cross_entropy",
    bias: bool = False,
    masks: bool = True,
    name: str = "backprop",
) -> cs.Motif:
    """SGD: V = Vt = 1, not plastic; Wt tied to W^T; Dt the Jacobian of the partner.

    Equals torch.autograd with torch.optim.SGD(lr=eta, weight_decay=gamma). Arguments as in `motifs.sal`.
    Default rates: what `circuitsim tune` found on Fashion-MNIST (docs/results.md).

    With ``masks=False`` the error descends without the slopes of the layers that it passes, as in SAL: each W sees
    that of its own layer only. What this costs is what SAL lacks, with exact weights and nothing else changed.

    Args:
        layers: sizes of the ascending populations, input and output included.
        eta, gamma: rate and decay of W.
        gain_W: start, Gaussian with standard deviation gain / sqrt(fan-in).
        activation: of the hidden populations.
        loss: as in `circuitsim.Objective`.
        bias: whether each W has a bias unit beside it, with W's rule.
        masks: False leaves the slopes of the layers that the error passes out of it.
        name: of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: fewer than two sizes.
    Example:
        >>> from motifs import backprop
        >>> backprop([64, 32, 10])
        Motif('backprop': 5 populations, 6 projections, 1 objectives)

    Source: Liao et al. (2024), arXiv 2412.20018, Table 2 (SGD); Rumelhart, Hinton & Williams (1986).
    """
    return two_stream(
        layers,
        W={
            "rule": f"eta * ({'' if masks else 'slope_post * '}{{I_V}} * pre - gamma * w)",
            "parameters": {"eta": eta, "gamma": gamma},
            "init": cs.Gaussian(gain_W),
        },
        Wt={"weight": cs.Derived("W{l}", transpose=True)}, V=IDENTITY, Vt=IDENTITY,
        descending="jacobian" if masks else "linear", activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
