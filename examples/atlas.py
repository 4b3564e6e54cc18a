"""The atlas: published learning circuits, each beside itself with the rule in question switched off.

python examples/atlas.py
python examples/atlas.py --dataset fashion_mnist_14x14
python examples/atlas.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

import circuitsim as cs
from circuitsim import plots
from support import Result, Study, deviations, mean_and_spread, versus
from support.algorithms import ALGORITHMS, ATLAS, tuned

THRESHOLD = 2.0  # standard deviations
NAMES = {ALGORITHMS[name].label: name for name in ATLAS}


def control_of(label: str) -> str:
    """The label of a circuit's control."""
    return ALGORITHMS[f"{NAMES[label]}_off"].label


class Atlas(Study):
    """Compare published learning circuits with controls: test accuracy, and cosine of the changes with the gradient.

    The control of a circuit with learned feedback is the same circuit with feedback that stays as it starts. That of
    any other is the same circuit with hidden weights that stay as they start, so that only the output learns. Circuits
    that learn from inputs alone (Oja, Sanger, BCM, Földiák, Krotov & Hopfield, SoftHebb) have 32 neurons, which a
    linear output learns to read. RFLO (`motifs.rflo`) is not here, because it learns sequences.
    Circuits and controls use the settings that examples/tune.py found for each on this data set. Where there are none,
    a control has those of its circuit, and a circuit the defaults of its motif.

    Class attributes:
        circuits: names in `support.algorithms.ATLAS`.
    Source: the motifs name the papers.
    """

    title = "Atlas"
    circuits: ClassVar[Sequence[str]] = tuple(ATLAS)

    def motifs(self) -> dict[str, cs.Motif]:
        setup, settings = self.setup, self.configuration()["settings"]
        chosen = {name: ALGORITHMS[name] for name in settings}
        return {a.label: a.make(setup.layers, loss=setup.loss, **settings[name]) for name, a in chosen.items()}

    def configuration(self) -> Mapping[str, Any]:
        found = tuned(self.setup.dataset)
        own = {name: found.get(name, {}) for name in self.circuits}
        return {"settings": own | {f"{name}_off": found.get(f"{name}_off", own[name]) for name in self.circuits}}

    @property
    def labels(self) -> list[str]:
        """The labels of the circuits, without those of the controls."""
        return [ALGORITHMS[name].label for name in self.circuits]

    def probes(self) -> dict[str, cs.Probe]:
        return self.setup.alignment(("gradient_cosine",))

    def test(self, label: str) -> np.ndarray:
        """The metric of each seed on the test split, in percent if it is an accuracy; NaN if the seed ran away."""
        factor = 1.0 if self.setup.metric == "loss" else 100.0
        return factor * self.results[label].final(self.setup.metric, self.setup.last_split)

    def cosine(self, label: str) -> np.ndarray | None:
        """The cosine with the gradient of each seed, a mean over the hidden W; None if none was measured."""
        found = [v for site, v in self.results[label].by_site("gradient_cosine").items() if site.startswith("W")]
        return np.mean(found, axis=0) if found else None

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        if label not in self.labels:
            return
        own, control, cosine = self.test(label), self.test(control_of(label)), self.cosine(label)
        yield {
            f"test {self.setup.metric}": mean_and_spread(own),
            "cosine with the gradient": "-" if cosine is None else mean_and_spread(cosine),
            "switched off": ATLAS[NAMES[label]],
            "control": mean_and_spread(control),
            "difference": versus(own, control),
        }

    def beats(self, label: str, paired: bool = False) -> bool:
        """Whether a circuit is better than its control by more than two standard deviations of a difference, between
        any two seeds or, `paired`, between circuits of the same seed."""
        sign = -1 if self.setup.metric == "loss" else 1
        return sign * deviations(self.test(label), self.test(control_of(label)), paired) > THRESHOLD

    def notes(self) -> str:
        others = [label for label in self.labels if not self.beats(label)]
        found = tuned(self.setup.dataset)
        untuned = [label for label in self.labels if not {NAMES[label], f"{NAMES[label]}_off"} <= found.keys()]
        better = f"{len(self.labels) - len(others)} of {len(self.labels)} circuits are better than their controls"
        paired = sum(self.beats(label, paired=True) for label in self.labels)
        return (
            f"{better} by more than {THRESHOLD:g} standard deviations of a difference between two seeds; {paired}, if "
            "circuit and control have the same seed, so that they start alike, as in the column of differences. Not "
            f"so between two seeds: {', '.join(others) or 'none'}.\n\n"
            f"With settings that were not found for them or for their controls: {', '.join(untuned) or 'none'}."
        )

    def figures(self) -> Mapping[str, Any]:
        accuracy = {k: {"circuit": self.test(k), "control": self.test(control_of(k))} for k in self.labels}
        cosines = {k: self.cosine(k) for k in self.labels}
        cosine = {k: {} if values is None else {"circuit": values} for k, values in cosines.items()}
        return {"atlas": plots.dots({f"test {self.setup.metric}": accuracy, "cosine with the gradient": cosine})}


if __name__ == "__main__":
    Atlas.main()
