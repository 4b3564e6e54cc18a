"""Weight mirrors: in a separate phase, feedback weights learn the transpose of the forward weights from noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream


def weight_mirror(
    layers: Sequence[int],
    *,
    eta: float = 0.033,
    gamma: float = 2.4e-6,
    eta_mirror: float = 0.066,
    gamma_mirror: float = 0.57,
    noise: float = 1.0,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "weight_mirror",
) -> cs.Motif:
    """A variant of `motifs.backprop` in which Wt learns W^T from noise, in one mirror phase per layer after each cycle.

    In the mirror phase of layer l, the neurons of up_l emit noise x, up_{l+1} responds with f(W_l x), Vt_{l+1}
    (fixed, one to one) carries the response to down_{l+1}, and Wt learns from both::

        dWt_l = eta_mirror (I_Vt pre - gamma_mirror Wt) = eta_mirror (x f(W_l x)^T - gamma_mirror Wt)

    For ReLU, E[x f(W x)^T] = noise^2 / 2 W^T, so Wt converges to noise^2 / (2 gamma_mirror) W^T. The default
    rates were found by `examples/tune.py` on Fashion-MNIST (docs/results.md).

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W.
        eta_mirror, gamma_mirror: the learning rate and the decay rate of Wt in its mirror phase.
        noise: the standard deviation of the noise.
        gain_W, gain_Wt, activation, loss, name: as in `motifs.kolen_pollack`.
    Returns:
        The motif.
    Raises:
        MotifError: `layers` has fewer than two sizes.
    Example:
        >>> from motifs import weight_mirror
        >>> [phase.name for phase in weight_mirror([64, 32, 32, 10]).phases]
        ['cycle', 'mirror1', 'mirror2']

    Source: Akrout, Wilson, Humphreys, Lillicrap & Tweed (2019), "Deep Learning without Weight Transport",
    arXiv 1904.05391, section 3.1; Liao et al. (2024), arXiv 2412.20018, Table 2 (WM).
    """
    depth = len(layers) - 1
    motif = two_stream(
        layers,
        W={
            "rule": "eta * ({I_V} * pre - gamma * w)",
            "parameters": {"eta": eta, "gamma": gamma},
            "init": cs.Gaussian(gain_W),
        },
        Wt={
            "rule": "eta * ({I_Vt} * pre - gamma * w)",
            "parameters": {"eta": eta_mirror, "gamma": gamma_mirror},
            "init": cs.Gaussian(gain_Wt, scaling="fan_out"),
        },
        V=IDENTITY, Vt=IDENTITY, descending="jacobian", activation=activation, loss=loss, name=name,
    )  # fmt: skip
    motif.connect(f"up{depth}", f"down{depth}", name=f"Vt{depth}", compartment="dendrite", **IDENTITY)
    motif.add(cs.Phase("cycle", plastic=[f"W{k}" for k in range(depth)]))
    for layer in range(1, depth):
        motif.add(
            cs.Phase(
                f"mirror{layer}", soma=[f"W{layer}", f"Vt{layer + 1}"], plastic=[f"Wt{layer}"], inputs=[],
                noise={f"up{layer}": noise}, errors=False,
            )
        )  # fmt: skip
    return motif
