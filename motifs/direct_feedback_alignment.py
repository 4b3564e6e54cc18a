"""Direct feedback alignment: the error reaches every hidden layer through fixed random weights."""

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
    """As `motifs.direct_kolen_pollack`, but V_l does not change; its start is gain_V / sqrt(fan-in).

    Default rates and `gain_V`: what `circuitsim tune` found on Fashion-MNIST (docs/results.md); on digits those
    of `circuitsim/studies/tuned/digits.json` learn faster.

    Args:
        layers: sizes of the ascending populations, input and output included.
        eta, gamma: rate and decay of W.
        gain_W: start, Gaussian with standard deviation gain / sqrt(fan-in).
        gain_V: start of V, gain / sqrt(fan-in).
        activation: of the hidden populations.
        loss: as in `circuitsim.Objective`.
        name: of the motif.
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
