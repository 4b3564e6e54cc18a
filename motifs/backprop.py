"""Backpropagation, as the two-stream circuit with feedback weights tied to the forward weights."""

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
    """Stochastic gradient descent: V = Vt = 1 are fixed, Wt is tied to W^T, and Dt is the Jacobian of the partner.

    It equals torch.autograd with torch.optim.SGD(lr=eta, weight_decay=gamma).
    The default rates were found by `examples/tune.py` on Fashion-MNIST (docs/results.md).

    With ``masks=False``, as in SAL, the error descends without the slopes of the layers that it passes, and each W
    uses only the slope of its own layer. This isolates what SAL loses without these slopes, since the weights are exact
    and nothing else is changed.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        activation: the activation of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        bias: whether each W is accompanied by a bias unit with W's rule.
        masks: whether the error is multiplied by the slopes of the layers that it passes.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: `layers` has fewer than two sizes.
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
        Wt={"tied_to": cs.Derived("W{l}", transpose=True)}, V=IDENTITY, Vt=IDENTITY,
        descending="jacobian" if masks else "linear", activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
