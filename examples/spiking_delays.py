"""Show that spiking circuits assemble themselves with conduction delays in all projections.

python examples/spiking_delays.py --seeds 3
python examples/spiking_delays.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from circuitsim import plots
from circuitsim.export import Delay, Spiking, Trial
from motifs import spiking_sal
from support.spikes import Spikes, SpikingStudy, raster_of

DELAYS, QUICK_DELAYS = (0.0, 5.0, 10.0, 20.0), (0.0, 20.0)


class SpikingDelays(SpikingStudy):
    """Show that a circuit learns as well if every spike takes up to 20 ms to arrive.

    The rates are those of the circuit without delays. The export lengthens the windows of a trial by the time that
    spikes are under way, and makes up for what is lost of the traces in this time. Neurons rest between trials, so
    that trials do not depend on one another.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """

    title = "Conduction delays"
    hidden = (32,)
    epochs = 2
    spiking = Spiking(coding="on_off", trial=Trial(rests=True), dt_ms=1.0)

    @property
    def delays(self) -> tuple[float, ...]:
        """The delays in milliseconds."""
        return QUICK_DELAYS if self.setup.quick else DELAYS

    def conditions(self) -> dict[str, Spikes]:
        motif = spiking_sal(self.setup.layers)
        base = replace(self.model, coding="on_off", trial=replace(self.model.course, rests=True))
        made = {}
        for ms in self.delays:
            delays = {p.name: Delay(ms) for p in motif.projections} if ms else {}
            made[f"{ms:g} ms"] = Spikes(motif, spiking=replace(base, delays=delays))
        return made

    def figures(self) -> Mapping[str, Any]:
        results = list(self.results.values())
        lines = {
            "test accuracy": (self.delays, [r.final("accuracy", "test") for r in results]),
            "cos(V, Vt^T)": (self.delays, [r.over_sites("mirror_cosine") for r in results]),
            "stationarity cosine": (self.delays, [r.over_sites("stationarity_cosine") for r in results]),
        }
        longest = results[-1]
        return {
            "delays": plots.dependence(lines, xlabel="delay, ms", ylabel="accuracy, cosine", logarithmic=False),
            "raster": raster_of(longest.networks[0], self.setup.data.train, 2, f"Delays of {self.delays[-1]:g} ms"),
        }


if __name__ == "__main__":
    SpikingDelays.main()
