"""SAL with the rates and starts that suit one sample at a time, as spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.sal import sal

# The options that differ from those of `motifs.sal`, for each form.
PAPER = {
    "eta": 0.18, "eta_V": 1.0, "eta_Wt": 1 / 3, "gamma": 1.11e-3, "gamma_Wt": 6.0, "gain_W": 0.5, "gain_Wt": 1.0,
    "gain_V": 0.05, "trace": None,
}  # fmt: skip
NORMALISED = {
    "eta": 0.8, "few": 0.0, "gamma": 4.2e-4, "tau": 8000.0, "gain": 160.0, "cap": 11.0, "gain_W": 0.5, "scale": 0.01,
}  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {"paper": PAPER, "normalised": NORMALISED}


def spiking_sal(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    form: str = "paper",
    loss: str = "mse",
    name: str = "spiking_sal",
    **options: Any,
) -> cs.Motif:
    """`motifs.sal` for `cs.export_brian2` with ``mode="spiking"``. Default rates and starts suit one sample at a time.

    Form "paper" is that of `motifs.paper_sal`, whose rules see the activity itself::

        dW_l  = eta (slope * I_V h_l^T - gamma W)                   dV_l  = eta_V eta (h_l g_l^T - gamma V)
        dWt_l = eta_Wt eta (I_Vt g_{l+1}^T - gamma_Wt gamma Wt)     dVt_l = eta_V eta (g_l h_l^T - gamma Vt)

    Form "normalised" is the default form of `motifs.sal`. With spikes, its means are taken over the last trials
    (docs/spiking.md). Its rules work with activities of any size, but neurons need enough spikes: `gain`, `cap` and
    `scale` make the hidden activities large.

    Defaults were chosen on validation samples of digits, for 6,000 trials or more under a cosine schedule
    (docs/spiking.md).

    Args:
        layers, feedback: as in `motifs.sal`.
        form: "paper" or "normalised".
        loss, name: as in `motifs.sal`, with defaults that suit spikes.
        options: those of the form in `motifs.sal`, with the defaults that `FORMS` in this file lists.
    Returns:
        The motif.
    Raises:
        MotifError: the form is unknown, or the sizes do not fit.
        TypeError: an option is unknown to the form.
    Example:
        >>> from motifs import spiking_sal
        >>> spiking_sal([64, 32, 10]).objectives[0].loss
        'mse'

    Source: Liao et al. (2024), arXiv 2412.20018, equations 5 to 8; the spiking circuit is ours (docs/spiking.md).
    """
    return sal(layers, feedback, form=form, **{"loss": loss, "name": name, **FORMS.get(form, {}), **options})
