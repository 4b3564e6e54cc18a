"""Find out which of the four pathways must be plastic.

python examples/pathway_ablation.py
python examples/pathway_ablation.py --dataset fashion_mnist --seeds 3
python examples/pathway_ablation.py --quick
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

import circuitsim as cs
from circuitsim import plots
from circuitsim.plots import kind_of
from motifs import linear, paper_sal, sal
from support import Result, Study, mean, mean_and_spread, versus
from support.circuits import STRONG

PATHWAYS = ("V", "Vt", "Wt")
LINEAR = "linear model"
ALL, NONE = "W V Vt Wt", "W"
PAPER = "paper: "  # the form of SAL with the paper's equations
FORMS: dict[str, Callable[..., cs.Motif]] = {"": sal, PAPER: paper_sal}
LINEAR_ETAS = (0.03, 0.1, 0.3)  # only the best on validation is shown, so that rates do not decide
SUBSETS = [subset for n in range(len(PATHWAYS) + 1) for subset in combinations(PATHWAYS, n)]


class PathwayAblation(Study):
    """Compare learning curves of SAL with W and each subset of {V, Vt, Wt} plastic, and of a linear model.

    Projections that are not plastic keep a random start of unit size. All subsets are shown for the normalised form of
    SAL and for the form of the paper's equations ("paper").

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 4.
    """

    title = "Plastic pathways"
    quick_epochs = 6

    def motifs(self) -> dict[str, cs.Motif]:
        layers, loss = self.setup.layers, self.setup.loss
        forms = {prefix: make(layers, loss=loss) for prefix, make in FORMS.items()}
        made = {
            prefix + " ".join((NONE, *subset)): only_plastic(motif, subset)
            for prefix, motif in forms.items()
            for subset in SUBSETS
        }
        return made | {f"{LINEAR}, eta {eta:g}": linear(layers, eta=eta, loss=loss) for eta in LINEAR_ETAS}

    def probes(self) -> dict[str, cs.Probe]:
        return self.setup.alignment(["gradient_cosine"])

    @cached_property
    def linear(self) -> str:
        """The label of the linear model that is best on validation (or, without a validation split, training) data."""
        split = "train" if self.setup.data.validation is None else "validation"
        labels = [label for label in self.results if label.startswith(LINEAR)]
        scores = {label: self.results[label].final("accuracy", split).mean() for label in labels}  # NaN if any ran away
        return max(labels, key=lambda label: np.nan_to_num(scores[label], nan=-1.0))

    @cached_property
    def accuracy(self) -> dict[str, Any]:
        """The final accuracy of each subset and of the best linear model, in percent, ``[seed]``."""
        kept = [*(label for label in self.results if not label.startswith(LINEAR)), self.linear]
        return {label: 100 * self.results[label].final("accuracy", self.setup.last_split) for label in kept}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        if label in self.accuracy:
            yield {
                **result.percent(self.setup.last_split),
                "hidden cosine with the gradient": mean_and_spread(result.over_sites("gradient_cosine")),
            }

    def figures(self) -> Mapping[str, Any]:
        split = self.setup.last_split if self.setup.data.validation is None else "validation"
        measured, figures = self.measured("accuracy", split), {}
        for prefix, name in (("", "curves"), (PAPER, "curves_paper")):
            labels = [k for k in self.accuracy if k.startswith(PAPER) == bool(prefix) or k == self.linear]
            histories = {label.removeprefix(prefix): measured[label] for label in labels if label in measured}
            title = f"Plastic pathways, {self.setup.data.name}" + (", the paper's equations" if prefix else "")
            if histories:
                figures[name] = plots.curves(histories, "accuracy", split=split, title=title)
        return figures

    def notes(self) -> str:
        lines = [
            "Pathways that are not named are random, fixed and of unit size. The paper's claims (its Figure 4, on "
            "CIFAR10): W alone does no better than the linear model, and all four pathways plastic do best. Here, in "
            f"points over the same seeds (the {self.linear} is the best of {len(LINEAR_ETAS)} on validation, while the "
            "subsets run at the default rates of SAL, which favours the linear model):"
        ]
        for prefix in FORMS:
            lines += self._comparisons(prefix)
        return "\n".join(lines)

    def _comparisons(self, prefix: str) -> Iterator[str]:
        accuracy, everything, nothing = self.accuracy, prefix + ALL, prefix + NONE
        for a, b in ((nothing, self.linear), (everything, self.linear), (everything, nothing)):
            yield f"- {a} against {b}: {versus(accuracy[a], accuracy[b])}."
        subsets = {prefix + " ".join((NONE, *subset)) for subset in SUBSETS}
        means = {label: mean(a) for label, a in accuracy.items() if label in subsets and np.isfinite(a).any()}
        order = sorted(means, key=lambda label: means[label], reverse=True)
        yield f"- By mean accuracy: {', '.join(f'{label} ({means[label]:.2f})' for label in order)}."
        best = next((label for label in order if label != everything), None)
        if best is not None:
            difference = versus(accuracy[everything], accuracy[best])
            yield f"- {everything} against the best other subset, {best}: {difference}."
        for a, b in ((nothing, f"{nothing} Vt"), (f"{nothing} V", f"{nothing} V Vt")):
            same = np.array_equal(accuracy[a], accuracy[b], equal_nan=True)
            yield (
                f"- Vt acts on activity only through the plasticity of Wt, so {a} and {b} should coincide: their "
                f"accuracies are {'identical' if same else 'NOT identical'}."
            )


def only_plastic(motif: cs.Motif, pathways: tuple[str, ...]) -> cs.Motif:
    """A copy of the motif in which only W and these kinds of projection are plastic.

    The others have unit size, because V and Vt would otherwise stay nearly silent.
    """
    found = motif
    for p in motif.projections:
        if p.is_plastic and kind_of(motif, p.name) not in ("W", *pathways):
            assert isinstance(p.start, cs.Gaussian)
            found = found.replace(p.name, plastic=False, init=replace(p.start, gain=STRONG))
    return found.renamed("_".join((motif.name, "W", *pathways)))


if __name__ == "__main__":
    PathwayAblation.main()
