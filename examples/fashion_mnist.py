"""Test the main claims on Fashion-MNIST: SAL, other algorithms and controls, with several widths, rates and schedules.

python examples/fashion_mnist.py --resume     # takes hours; continues an interrupted run
python examples/fashion_mnist.py --quick
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import circuitsim as cs
import motifs
from circuitsim import plots
from support import Condition, Result, Study
from support.algorithms import FROZEN, FROZEN_RATES, sal_and_controls

LONG = 60  # epochs
ETA = inspect.signature(motifs.paper_sal).parameters["eta"].default


class FashionMnist(Study):
    """Measure accuracy and alignment at the default rates; frozen feedback has rates of its own.

    The settings come from examples/tune.py on the validation split. Unless stated otherwise, a condition learns for
    20 epochs with a cosine schedule.

    Source: Liao et al. (2024), arXiv 2412.20018; the conditions are ours.
    """

    title = "Main claims"
    dataset = "fashion_mnist"

    def motifs(self) -> dict[str, cs.Motif]:
        layers, hidden = self.setup.layers, self.setup.hidden
        return {
            **sal_and_controls(layers, FROZEN_RATES),
            "SAL, all eta 1.5 times as large": motifs.paper_sal(layers, eta=1.5 * ETA),
            "SAL, descending stream 3 times as wide": motifs.paper_sal(layers, [3 * size for size in hidden]),
            "SAL, descending stream 8 times as wide": motifs.paper_sal(layers, [8 * size for size in hidden]),
            "SAL (ungated)": motifs.paper_sal(layers, gated=False),
            "SGD": motifs.backprop(layers),
            "Kolen-Pollack": motifs.kolen_pollack(layers),
            "direct Kolen-Pollack": motifs.direct_kolen_pollack(layers),
            "feedback alignment": motifs.feedback_alignment(layers),
        }

    def probes(self) -> dict[str, cs.Probe]:
        return self.setup.alignment()

    def conditions(self) -> dict[str, Condition]:
        conditions = {**super().conditions()}
        longer = None if self.setup.quick else LONG
        for label in ("SAL", "SGD", FROZEN):
            conditions[f"{label}, {LONG} epochs"] = replace(conditions[label], epochs=longer)
        conditions[f"SAL, {LONG} epochs, constant eta"] = replace(conditions["SAL"], epochs=longer, schedule=None)
        return conditions

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        yield result.assembly("validation", "train", "test")

    def figures(self) -> Mapping[str, Any]:
        return {"self_assembly": plots.self_assembly(self.histories)}


if __name__ == "__main__":
    FashionMnist.main()
