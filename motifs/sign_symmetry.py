"""Sign-symmetry: feedback shares the signs of the forward weights, and nothing else."""

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
    """As `motifs.backprop`, but Wt_l is ``gain_Wt / sqrt(d_l) sign(W_l)^T``, with d_l the size of the lower layer.

    Args:
        layers: sizes of the ascending populations, input and output included.
        eta, gamma: rate and decay of W.
        gain_W: start, Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Wt: size of the feedback weights, in units of 1 / sqrt(d_l).
        activation: of the hidden populations.
        loss: as in `circuitsim.Objective`.
        bias: whether each W has a bias unit beside it, with W's rule.
        name: of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: fewer than two sizes.
    Example:
        >>> from motifs import sign_symmetry
        >>> sign_symmetry([64, 25, 10]).projection("Wt1").weight
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
        Wt={"weight": cs.Derived("W{l}", transpose=True, sign=True)}, V=IDENTITY, Vt=IDENTITY, descending="jacobian",
        activation=activation, loss=loss, bias=bias, name=name,
    )  # fmt: skip
    for layer in range(1, len(layers) - 1):
        scale = gain_Wt / math.sqrt(layers[layer])
        motif = motif.replace(f"Wt{layer}", weight=cs.Derived(f"W{layer}", transpose=True, sign=True, scale=scale))
    return motif
