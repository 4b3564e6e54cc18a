"""SAL with the rates and starts that suit one sample at a time, as spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.paper_sal import paper_sal


def spiking_sal(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    eta: float = 0.18,
    eta_V: float = 1.0,
    eta_Wt: float = 1 / 3,
    gamma: float = 1.11e-3,
    gamma_Wt: float = 6.0,
    gain_W: float = 0.5,
    gain_Wt: float = 1.0,
    gain_V: float = 0.05,
    trace: str | None = None,
    loss: str = "mse",
    name: str = "spiking_sal",
    **options: Any,
) -> cs.Motif:
    """`motifs.paper_sal` for `cs.export_brian2` with ``mode="spiking"``. The rules are those of SAL::

        dW_l  = eta (slope * I_V h_l^T - gamma W)                   dV_l  = eta_V eta (h_l g_l^T - gamma V)
        dWt_l = eta_Wt eta (I_Vt g_{l+1}^T - gamma_Wt gamma Wt)     dVt_l = eta_V eta (g_l h_l^T - gamma Vt)

    A spiking neuron sees no batch over which its trace could be normalised, so rules see the activity itself. Default
    rates and starts were chosen on validation samples of digits, for 6,000 trials or more under a cosine schedule
    (docs/spiking.md).

    Args:
        layers, feedback: as in `motifs.paper_sal`.
        eta, eta_V, eta_Wt, gamma, gamma_Wt, gain_W, gain_Wt, gain_V, trace, loss, name: as in `motifs.paper_sal`, with
            defaults that suit spikes.
        options: further options of `motifs.paper_sal`.
    Returns:
        The motif.
    Example:
        >>> from motifs import spiking_sal
        >>> spiking_sal([64, 32, 10]).objectives[0].loss
        'mse'

    Source: Liao et al. (2024), arXiv 2412.20018, equations 5 to 8; the spiking circuit is ours (docs/spiking.md).
    """
    return paper_sal(
        layers, feedback, eta=eta, eta_V=eta_V, eta_Wt=eta_Wt, gamma=gamma, gamma_Wt=gamma_Wt, gain_W=gain_W,
        gain_Wt=gain_Wt, gain_V=gain_V, trace=trace, loss=loss, name=name, **options,
    )  # fmt: skip
