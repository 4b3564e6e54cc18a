"""Train spiking circuits with two and three hidden layers.

python examples/spiking_depth.py --seeds 3
python examples/spiking_depth.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuitsim import plots
from motifs import shuffled_error, spiking_sal
from support import Result
from support.spikes import BATCH, DEEP, IN_BATCHES, RATES, Spikes, SpikingStudy, feedback_of

DEPTHS = {"two hidden layers": [48, 48], "three hidden layers": [48, 48, 48]}
PAPER: dict[str, Any] = {"eta": 0.04, "eta_V": 1.5, "eta_Wt": 0.2, "gamma": 2e-3, "gamma_Wt": 2.0, "gain_W": 1.0}
# The normalised form, with two hidden layers, and its control, whose fixed V has unit size (docs/spiking.md).
NORMALISED: dict[str, Any] = {"form": "normalised", "eta": 0.25, "gamma": 1.33e-3, "gain_W": 1.0}
FROZEN: dict[str, Any] = {**NORMALISED, "eta": 0.5, "gamma": 6.7e-4, "gain_V": 1.0, "cap": 1.4}


class SpikingDepth(SpikingStudy):
    """Show that spiking circuits with two and with three hidden layers assemble themselves, in the form of the paper.

    The normalised form with two hidden layers stands beside its controls: feedback frozen at random, at rates of its
    own, and a shuffled error. It is compared with the rate circuit.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """

    title = "Spikes in depth"
    epochs, segment, spiking = 20, 1000, DEEP

    def conditions(self) -> dict[str, Spikes]:
        n_in, *_, n_out = self.setup.layers
        depths = list(DEPTHS.items())[: 1 if self.setup.quick else None]
        made = {label: Spikes(spiking_sal([n_in, *hidden, n_out], **PAPER)) for label, hidden in depths}
        if not self.setup.quick:
            layers = [n_in, *DEPTHS["two hidden layers"], n_out]
            motif, frozen = spiking_sal(layers, **NORMALISED), spiking_sal(layers, **FROZEN)
            made["normalised form"] = Spikes(motif)
            made["normalised form, feedback frozen at random"] = Spikes(frozen, frozen=feedback_of(frozen))
            made["normalised form, shuffled error"] = Spikes(shuffled_error(motif))
        return made

    def train(self) -> dict[str, Result]:
        found = super().train()
        if not self.setup.quick:
            n_in, *_, n_out = self.setup.layers
            layers = [n_in, *DEPTHS["two hidden layers"], n_out]
            motif = spiking_sal(layers, form="normalised", **IN_BATCHES)
            found[f"normalised form, {RATES}"] = self.rates(motif, BATCH)
        return found

    def notes(self) -> str:
        lines = ["Test accuracy in percent, seed by seed:"]
        for label, result in self.results.items():
            lines.append(f"- {label}: {', '.join(f'{100 * a:.1f}' for a in result.final('accuracy', 'test'))}")
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        return {"depth": plots.self_assembly(self.histories)}

    def configuration(self) -> Mapping[str, Any]:
        return {
            **super().configuration(), "hidden": DEPTHS, "paper": PAPER, "normalised": NORMALISED, "frozen": FROZEN,
            "in batches": IN_BATCHES,
        }  # fmt: skip


if __name__ == "__main__":
    SpikingDepth.main()
