"""Train spiking circuits on a task that needs assembled feedback, compared with feedback frozen at random.

python examples/spiking_feedback.py --dataset fashion_mnist --seeds 3
python examples/spiking_feedback.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import circuitsim as cs
from circuitsim import plots
from motifs import spiking_sal
from support import datasets, deviations, versus
from support.spikes import DEEP, Spikes, SpikingStudy, feedback_of, pixels

ASSEMBLED, FROZEN = "assembled", "feedback frozen at random"
# Each is the best of 16 settings of the rate circuit (one sample per step, mean of two seeds), then of two values of
# eta with spikes (seed 10), on validation samples of pooled Fashion-MNIST (docs/spiking.md).
RATES: dict[str, dict[str, Any]] = {
    ASSEMBLED: {
        "eta": 0.026, "gamma": 5e-5 / 0.026, "eta_V": 0.727, "eta_Wt": 0.267, "gamma_Wt": 3.07,
        "gain_W": 0.88, "gain_V": 0.12, "gain_Wt": 1.17,
    },
    FROZEN: {"eta": 0.029, "gamma": 7e-5 / 0.029, "gain_W": 0.73, "gain_V": 0.49, "gain_Wt": 1.06},
}  # fmt: skip


def load(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """Load a data set with pixels from 0 to 1, images of 28 x 28 averaged to 14 x 14."""
    return datasets.pooled(pixels(dataset, folder))


class SpikingFeedback(SpikingStudy):
    """Compare assembled feedback with feedback frozen at random in spiking circuits, each at its own rates.

    Images of 28 x 28 pixels are averaged to 14 x 14.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """

    title = "Spikes and their feedback"
    load, hidden = load, (64, 64)
    epochs, segment, n_test, spiking = 12, 1000, 2000, DEEP

    def conditions(self) -> dict[str, Spikes]:
        made = {label: spiking_sal(self.setup.layers, **rates) for label, rates in RATES.items()}
        return {ASSEMBLED: Spikes(made[ASSEMBLED]), FROZEN: Spikes(made[FROZEN], frozen=feedback_of(made[FROZEN]))}

    def notes(self) -> str:
        own, frozen = (100 * result.final("accuracy", "test") for result in self.results.values())
        notes = f"Assembled minus frozen, points of test accuracy: {versus(own, frozen)}"
        if self.setup.seeds > 1:
            notes += f"; {deviations(own, frozen):.1f} standard deviations of the difference between seeds"
        return f"{notes}."

    def figures(self) -> Mapping[str, Any]:
        return {"feedback": plots.self_assembly(self.histories)}

    def configuration(self) -> Mapping[str, Any]:
        return {**super().configuration(), "rates": RATES}


if __name__ == "__main__":
    SpikingFeedback.main()
