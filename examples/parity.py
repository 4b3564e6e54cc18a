"""Find out why SAL falls short of SGD, with intermediate circuits that differ in one respect each.

python examples/parity.py
python examples/parity.py --dataset fashion_mnist --epochs 60
python examples/parity.py --quick
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import circuitsim as cs
import motifs
from support import Result, Study, versus
from support.algorithms import ALGORITHMS, tuned


@dataclass(frozen=True)
class Hypothesis:
    """One row of the table.

    Args:
        label: the name in tables.
        make: makes the motif from layers and settings.
        settings: the algorithm whose tuned settings the row uses.
        says: what the row tests.
    """

    label: str
    make: Callable[..., cs.Motif]
    settings: str
    says: str


def _of(name: str, says: str) -> Hypothesis:
    return Hypothesis(ALGORITHMS[name].label, ALGORITHMS[name].make, name, says)


def _sal(label: str, says: str, **options: Any) -> Hypothesis:
    return Hypothesis(label, functools.partial(motifs.paper_sal, **options), "sal", says)


def _backprop_at(layers: Any, **settings: Any) -> cs.Motif:
    """SGD with another algorithm's eta and gamma, without its other settings."""
    kept = {key: settings[key] for key in ("eta", "gamma", "masks", "loss", "name") if key in settings}
    return motifs.backprop(layers, **kept)


SGD, SAL = ALGORITHMS["backprop"].label, ALGORITHMS["sal"].label
HYPOTHESES = (
    _of("backprop", "the level to reach"),
    Hypothesis(
        "SGD without masks", ALGORITHMS["backprop_unmasked"].make, "backprop",
        "masks alone: exact weights and SGD's own rates, but the error passes layers without their ReLU slopes",
    ),
    _of("sal", "what is to be explained"),
    _sal("SAL with biases", "biases", bias=True, name="sal_bias"),
    _sal(
        "SAL, homeostatic", "decay of V, Vt and Wt that grows with the squared weights a neuron holds",
        regularizer="homeostatic", name="sal_homeostatic",
    ),
    _sal("SAL, plain trace", "no normalised trace", trace=None, name="sal_plain"),
    _of("apical_sal", "masks put back: down hears the gated dendrites of the layer above; V, Vt by SAL's rules"),
    _of("apical_mirror", "masks put back, and V driven to Vt^T by noise, so that V Vt is near the identity"),
    _of("kolen_pollack", "masks put back, and V = Vt = 1"),
    Hypothesis(
        "SGD at SAL's eta and gamma", functools.partial(_backprop_at, name="backprop_at_sal"), "sal",
        "the learning circuit alone, at the same rate and decay of W",
    ),
    Hypothesis(
        "SGD without masks, at SAL's eta and gamma",
        functools.partial(_backprop_at, masks=False, name="unmasked_at_sal"), "sal", "masks alone, at these",
    ),
)  # fmt: skip


class Parity(Study):
    """Compare SAL, SGD, and intermediate circuits that differ from one of them in one respect each.

    SAL differs from backpropagation in four respects: the error reaches a layer without the ReLU slopes of the layers
    above it; the pathway through V and Vt is learned and dense; Wt is learned; and the rates differ. Each row uses
    the settings that examples/tune.py found for it (or for its nearest relative) on the data set.

    Source: after Liao et al. (2024), arXiv 2412.20018, Table 1.
    """

    title = "Parity"

    def motifs(self) -> dict[str, cs.Motif]:
        setup, settings = self.setup, self.configuration()["settings"]
        return {row.label: row.make(setup.layers, loss=setup.loss, **settings[row.label]) for row in HYPOTHESES}

    def probes(self) -> dict[str, cs.Probe]:
        return self.setup.alignment(["gradient_cosine"])

    def configuration(self) -> Mapping[str, Any]:
        known = tuned(self.setup.dataset)
        return {"settings": {row.label: known.get(row.settings, {}) for row in HYPOTHESES}}

    def _test(self, label: str) -> Any:
        return 100 * self.results[label].final(self.setup.metric, "test")

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        yield {
            "what it tests": next(row.says for row in HYPOTHESES if row.label == label),
            **result.percent("train", "validation", "test", metric=self.setup.metric),
            "test, minus SGD's": "" if label == SGD else versus(self._test(label), self._test(SGD)),
            "cosine with the gradient": result.lines("gradient_cosine"),
        }

    def notes(self) -> str:
        lines = [
            f"- {label} minus {reference}: {versus(self._test(label), self._test(reference))} points of test "
            f"{self.setup.metric}."
            for label in self.results
            for reference in (SAL, SGD)
            if label != reference and np.isfinite(self._test(label)).any()
        ]
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        return self.validation_curves()


if __name__ == "__main__":
    Parity.main()
