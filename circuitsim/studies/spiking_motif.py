"""SAL for spikes: what the spiking studies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from circuitsim.export import IntegrateAndFire, Spiking, Stream, Trial
from circuitsim.motif import Motif
from motifs import sal

# Chosen on validation samples of digits (docs/spiking.md), for 6,000 trials or more with a cosine schedule. A neuron
# sees no batch that its trace could be normalised over, so the trace is the activity itself.
OPTIONS: dict[str, Any] = {
    "eta": 0.18, "eta_V": 1.0, "eta_Wt": 1 / 3, "gamma": 1.11e-3, "gamma_Wt": 6.0,
    "gain_W": 0.5, "gain_Wt": 1.0, "gain_V": 0.05, "trace": None, "loss": "mse",
}  # fmt: skip
# What feedback frozen at random learns with: a control deserves rates and starts of its own.
FROZEN: dict[str, Any] = {"eta": 0.06, "gamma": 1.67e-3, "gain_V": 1.0}
# In depth: neurons that are silent below no drive, time for every layer to answer in turn, finer signed spikes.
DEEP: dict[str, Any] = {"eta": 0.04, "eta_V": 1.5, "eta_Wt": 0.2, "gamma": 2e-3, "gamma_Wt": 2.0, "gain_W": 1.0}
DEEP_SPIKES = Spiking(
    ascending=Stream(50.0, rectified=IntegrateAndFire(spikes_per_unit=4.0)),
    descending=Stream(10.0, spikes_per_unit=16.0),
    trial=Trial(ascending_ms=100.0),
)


def spiking_sal(layers: Sequence[int], feedback: Sequence[int] | None = None, **options: Any) -> Motif:
    """`motifs.sal` with rates, starts and loss that suit one sample at a time, as spikes."""
    return sal(layers, feedback, **{**OPTIONS, "name": "spiking_sal", **options})
