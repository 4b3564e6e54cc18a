"""Direct feedback alignment, in which the error reaches every hidden layer through fixed random weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs
from motifs.direct_kolen_pollack import direct_kolen_pollack


def direct_feedback_alignment(
    layers: Sequence[int],
    *,
    eta: float = 0.11,
    gamma: float = 1e-5,
    gain_W: float = math.sqrt(2),
    gain_V: float = 0.061,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "direct_feedback_alignment",
) -> cs.Motif:
    """A variant of `motifs.direct_kolen_pollack` in which V_l is fixed.

    The default rates and `gain_V` were found by `examples/tune.py` on Fashion-MNIST (docs/results.md). Those in
    `examples/support/tuned/digits.json` learn faster on digits.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta, gamma: the learning rate and the decay rate of W.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_V: the gain of V's weights, whose standard deviation is gain / sqrt(fan-in).
        activation: the activation of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import direct_feedback_alignment
        >>> direct_feedback_alignment([64, 32, 10]).projection("V1").is_plastic
        False

    Source: Nøkland (2016), "Direct Feedback Alignment Provides Learning in Deep Neural Networks", arXiv 1609.01596.
    """
    motif = direct_kolen_pollack(
        layers, eta=eta, gamma=gamma, gain_W=gain_W, gain_V=gain_V, activation=activation, loss=loss, name=name
    )
    for layer in range(1, len(layers) - 1):
        motif = motif.replace(f"V{layer}", plastic=False)
    return motif
