"""SAL for spikes: what the spiking studies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from circuitsim.motif import Motif
from motifs import sal

# Chosen on validation samples of digits (docs/spiking.md), for 6,000 trials or more with a cosine schedule. A neuron
# sees no batch that its trace could be normalised over, so the trace is the activity itself.
OPTIONS: dict[str, Any] = {
    "eta": 0.18, "eta_V": 1.0, "eta_Wt": 1 / 3, "gamma": 1.11e-3, "gamma_Wt": 6.0,
    "gain_W": 0.5, "gain_Wt": 1.0, "gain_V": 0.05, "trace": None, "loss": "mse",
}  # fmt: skip


def spiking_sal(layers: Sequence[int], feedback: Sequence[int] | None = None, **options: Any) -> Motif:
    """`motifs.sal` with rates, starts and loss that suit one sample at a time, as spikes."""
    return sal(layers, feedback, **{**OPTIONS, "name": "spiking_sal", **options})
