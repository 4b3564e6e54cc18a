"""Train spiking circuits on a task that needs assembled feedback, compared with feedback frozen at random.

python examples/spiking_feedback.py --dataset fashion_mnist --seeds 3      # 12 epochs of 1,000 trials
python examples/spiking_feedback.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import circuitsim as cs
from circuitsim import plots
from circuitsim.export import IntegrateAndFire, Stream
from motifs import shuffled_error, spiking_sal
from support import Result, compared, datasets
from support.spikes import BATCH, DEEP, IN_BATCHES, RATES, Spikes, SpikingStudy, feedback_of, pixels

ASSEMBLED, FROZEN, SHUFFLED = "assembled", "feedback frozen at random", "shuffled error"
PAPER, PAPER_FROZEN = "the paper's form, assembled", "the paper's form, frozen"
# Settings were chosen on validation samples of pooled Fashion-MNIST, with seeds from 10 on (docs/spiking.md).
NORMALISED = replace(DEEP, ascending=Stream(50.0, rectified=IntegrateAndFire(spikes_per_unit=8.0)), mean_trials=16)
SETTINGS: dict[str, dict[str, Any]] = {
    ASSEMBLED: {
        "eta": 0.32, "gamma": 2e-4, "tau": 20000.0, "gain": 70.0, "cap": 1.2, "scale": 0.001,
        "gain_W": 0.93, "gain_V": 0.004, "gain_Wt": 3.0,
    },
    FROZEN: {
        "eta": 0.473, "gamma": 2.21e-5, "gain": 60.3, "cap": 1.16, "scale": 0.002,
        "gain_W": 0.61, "gain_V": 0.16, "gain_Wt": 3.0,
    },
    PAPER: {
        "eta": 0.026, "gamma": 5e-5 / 0.026, "eta_V": 0.727, "eta_Wt": 0.267, "gamma_Wt": 3.07,
        "gain_W": 0.88, "gain_V": 0.12, "gain_Wt": 1.17,
    },
    PAPER_FROZEN: {"eta": 0.029, "gamma": 7e-5 / 0.029, "gain_W": 0.73, "gain_V": 0.49, "gain_Wt": 1.06},
}  # fmt: skip


def load(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """Load a data set with pixels from 0 to 1, images of 28 x 28 averaged to 14 x 14."""
    return datasets.pooled(pixels(dataset, folder))


class SpikingFeedback(SpikingStudy):
    """Compare assembled feedback with feedback frozen at random in spiking circuits, each at its own rates.

    Both forms of SAL stand beside their frozen control. The normalised form is also compared with a shuffled error and
    with the rate circuit. Images of 28 x 28 pixels are averaged to 14 x 14.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """

    title = "Spikes and their feedback"
    load, hidden = load, (64, 64)
    epochs, segment, n_test, spiking = 12, 1000, 2000, NORMALISED

    def motif(self, label: str) -> cs.Motif:
        """The motif of a row with settings of its own."""
        form = "paper" if label in (PAPER, PAPER_FROZEN) else "normalised"
        return spiking_sal(self.setup.layers, form=form, **SETTINGS[label])

    def conditions(self) -> dict[str, Spikes]:
        made = {label: self.motif(label) for label in SETTINGS}
        deep = None if self.setup.quick else DEEP
        return {
            ASSEMBLED: Spikes(made[ASSEMBLED]),
            FROZEN: Spikes(made[FROZEN], frozen=feedback_of(made[FROZEN])),
            SHUFFLED: Spikes(shuffled_error(made[ASSEMBLED])),
            PAPER: Spikes(made[PAPER], spiking=deep),
            PAPER_FROZEN: Spikes(made[PAPER_FROZEN], spiking=deep, frozen=feedback_of(made[PAPER_FROZEN])),
        }

    def train(self) -> dict[str, Result]:
        in_batches = spiking_sal(self.setup.layers, form="normalised", **IN_BATCHES)
        return {**super().train(), RATES: self.rates(in_batches, BATCH)}

    def notes(self) -> str:
        accuracy = {label: 100 * result.final("accuracy", "test") for label, result in self.results.items()}
        lines = ["Test accuracy in percent, with Student's 95 % interval of the mean difference:"]
        for a, b in ((ASSEMBLED, FROZEN), (ASSEMBLED, RATES), (ASSEMBLED, PAPER), (PAPER, PAPER_FROZEN)):
            lines.append(f"- {a} minus {b}: {compared(accuracy[a], accuracy[b])}")
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        return {"feedback": plots.self_assembly(self.histories)}

    def configuration(self) -> Mapping[str, Any]:
        return {**super().configuration(), "settings": SETTINGS, "in batches": IN_BATCHES}


if __name__ == "__main__":
    SpikingFeedback.main()
