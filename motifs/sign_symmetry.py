"""Sign-symmetry, in which the feedback weights share only the signs of the forward weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream


def sign_symmetry(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    gamma: float = 0.0,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    activation: str = "relu",
    loss: str = "cross_entropy",
    bias: bool = False,
    name: str = "sign_symmetry",
) -> cs.Motif:
    """A variant of `motifs.backprop` in which Wt_l is ``gain_Wt / sqrt(d_l) sign(W_l)^T``.

    Here d_l is the size of the lower layer.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Wt: the magnitude of the feedback weights, in units of 1 / sqrt(d_l).
        activation: the activation of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        bias: whether each W is accompanied by a bias unit with W's rule.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: `layers` has fewer than two sizes.
    Example:
        >>> from motifs import sign_symmetry
        >>> sign_symmetry([64, 25, 10]).projection("Wt1").tied_to
        Derived(projection='W1', transpose=True, scale=0.2, sign=True)

    Source: Liao, Leibo & Poggio (2016), "How important is weight symmetry in backpropagation?", arXiv 1510.05067
    (uniform sign-concordant feedback).
    """
    motif = two_stream(
        layers,
        W={
            "rule": "eta * ({I_V} * pre - gamma * w)",
            "parameters": {"eta": eta, "gamma": gamma},
            "init": cs.Gaussian(gain_W),
        },
        Wt={"tied_to": cs.Derived("W{l}", transpose=True, sign=True)}, V=IDENTITY, Vt=IDENTITY, descending="jacobian",
        activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
    for layer in range(1, len(layers) - 1):
        scale = gain_Wt / math.sqrt(layers[layer])
        motif = motif.replace(f"Wt{layer}", tied_to=cs.Derived(f"W{layer}", transpose=True, sign=True, scale=scale))
    return motif
