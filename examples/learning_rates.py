"""Measure final accuracy over a grid of overall learning rates, for SGD and SAL.

python examples/learning_rates.py
python examples/learning_rates.py --dataset fashion_mnist --seeds 3
python examples/learning_rates.py --quick
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

import circuitsim as cs
from circuitsim import plots
from motifs import backprop, paper_sal, sal
from support import Result, Study, mean, versus
from support.circuits import scale_eta

FACTORS = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0)
QUICK_FACTORS = (0.1, 1.0, 3.0)
COLLAPSED = 0.5  # fraction of the circuit's best accuracy
SAL, PAPER, SGD = "SAL", "SAL (paper)", "SGD"
MOTIFS: dict[str, Callable[..., cs.Motif]] = {SAL: sal, PAPER: paper_sal, SGD: backprop}


class LearningRates(Study):
    """Measure final accuracy against a factor that scales every eta, with the ratios of the rates fixed.

    All factors start from the same weights. SAL is shown in its normalised form, where V, Vt and Wt are averages and
    only W has an eta, and in the form of the paper's equations, where all four have one.

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 5.
    """

    title = "Learning rates"
    quick_epochs = 5

    @property
    def factors(self) -> tuple[float, ...]:
        """The factors on every eta."""
        return QUICK_FACTORS if self.setup.quick else FACTORS

    def motifs(self) -> dict[str, cs.Motif]:
        made = {label: make(self.setup.layers, loss=self.setup.loss) for label, make in MOTIFS.items()}
        return {
            f"{label} × {factor:g}": scale_eta(motif, factor)
            for label, motif in made.items()
            for factor in self.factors
        }

    @cached_property
    def accuracy(self) -> dict[tuple[str, float], Any]:
        """Final accuracy in percent by circuit and factor, ``[seed]``."""
        keys = {(label, factor): f"{label} × {factor:g}" for label in MOTIFS for factor in self.factors}
        return {key: 100 * self.results[name].final("accuracy", self.setup.last_split) for key, name in keys.items()}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        circuit, factor = label.split(" × ")
        eta = float(result.circuit.parameters("W0")["eta"])
        row = {"circuit": circuit, "factor": float(factor), "eta of W0": float(f"{eta:.3g}")}
        yield row | result.percent(self.setup.last_split)

    def figures(self) -> Mapping[str, Any]:
        grids = {label: (self.factors, [self.accuracy[label, f] for f in self.factors]) for label in MOTIFS}
        return {
            "learning_rates": plots.dependence(
                grids, xlabel="overall factor on every eta", ylabel=f"{self.setup.last_split} accuracy, %",
                title=f"{self.setup.data.name}: ratios of the rates fixed",
            )
        }  # fmt: skip

    def notes(self) -> str:
        lines = [
            "One factor multiplied every rule's eta, so that the ratios of the rates stayed the same (cosine "
            "schedule). Replicas that ran away are excluded from the mean. No number here is compared with the "
            "paper's Figure 5."
        ]
        best: dict[str, float] = {}
        for label in MOTIFS:
            means = {factor: mean(self.accuracy[label, factor]) for factor in self.factors}
            if not np.isfinite(list(means.values())).any():
                lines.append(f"- {label}: every replica ran away at every factor.")
                continue
            top = best[label] = max((f for f in means if np.isfinite(means[f])), key=lambda f: means[f])
            whole = {f: bool(np.isfinite(self.accuracy[label, f]).all()) for f in self.factors}
            lines.append(
                f"- {label}: best at factor {top:g}, {means[top]:.2f} %. Within one point of that, with no replica "
                f"lost: {_list(f for f in means if whole[f] and means[f] >= means[top] - 1)}. "
                f"Runaways at: {_list(f for f in means if not whole[f])}. Below half of the best without running away: "
                f"{_list(f for f in means if means[f] < COLLAPSED * means[top])}."
            )
        for label in (SAL, PAPER):
            if label in best and SGD in best:
                difference = versus(self.accuracy[label, best[label]], self.accuracy[SGD, best[SGD]])
                lines.append(
                    f"- {label} at its best factor against SGD at its own: {difference}; same split, so optimistic."
                )
        return "\n".join(lines)

    def configuration(self) -> Mapping[str, Any]:
        return {"factors": self.factors}


def _list(factors: Any) -> str:
    return ", ".join(f"{factor:g}" for factor in factors) or "none"


if __name__ == "__main__":
    LearningRates.main()
