"""Watch a two-stream circuit assemble its feedback from excitatory synapses while it learns.

python examples/self_assembly.py
python examples/self_assembly.py --dataset fashion_mnist --out runs/fashion
python examples/self_assembly.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import circuitsim as cs
import motifs
from circuitsim import plots
from circuitsim.analysis.self_alignment import mirror_pairs, squares
from support import Condition, Result, Study, deviations, hidden_sites, interval, mean, mean_and_spread, versus
from support.algorithms import SHUFFLED, tuned
from support.circuits import frozen_sal, images_of, scale_eta, with_sign

SAL, PAPER, KOLEN_POLLACK, SGD = "SAL", "SAL, form of the paper", "Kolen-Pollack", "SGD"
FROZEN = "control: feedback frozen"
SIGNED = "frozen, but signed random"  # not adverse: the feedback of feedback alignment
DEPTH = 8  # hidden layers of the deep circuits
DEEP = {label: f"{label}, {DEPTH} layers" for label in (SAL, FROZEN, SGD)}
WIDE = 6.0  # points; a confidence interval that is wider than this, and contains 0, decides nothing
DEEP_ETA = 1 / 8  # SGD's eta in deep circuits, relative to the tuned one; at 1/2 one of three circuits ran away
PAIRS = 2  # of each kind in the animation


class SelfAssembly(Study):
    """Start the feedback of SAL from excitatory synapses, and compare it with baselines and controls.

    Does it assemble feedback that carries the gradient? V, Vt and Wt start positive, as long-range cortical projections
    are, and V and Vt nearly silent; their signs may change. In the controls the error is shuffled, or feedback of unit
    size is frozen, with positive or random signs. Rates are constant. SAL has its
    default constants, the baselines those that examples/tune.py found on the data set, or their defaults. The measures
    are test accuracy and, layer by layer, the cosine of W's changes with the gradient on held-out samples. A second
    figure shows circuits with eight hidden layers, from random signs, where SGD has an eighth of its eta. The run
    folder also contains the first circuit, its weights over time, and an animation.

    Source: Liao et al. (2024), arXiv 2412.20018. The excitatory start is ours.
    """

    title = "Self-assembly"
    epochs = 60

    def motifs(self) -> dict[str, cs.Motif]:
        layers, found = self.setup.layers, tuned(self.setup.dataset)
        deep = [layers[0], *[layers[1]] * DEPTH, layers[-1]]
        sal = motifs.sal(layers, excitatory=True)
        paper = motifs.paper_sal(layers, **found.get("sal_stable", found.get("sal", {})))
        kolen_pollack = motifs.kolen_pollack(layers, **found.get("kolen_pollack", {}))
        rates = found.get("backprop", {})
        return {
            SAL: sal,
            FROZEN: frozen_sal(layers, excitatory=True),
            SHUFFLED: motifs.shuffled_error(sal),
            KOLEN_POLLACK: with_sign(kolen_pollack, "positive"),
            SGD: motifs.backprop(layers, **rates),
            PAPER: with_sign(paper, "positive"),
            SIGNED: frozen_sal(layers),
            DEEP[SAL]: motifs.sal(deep),
            DEEP[FROZEN]: frozen_sal(deep),
            DEEP[SGD]: scale_eta(motifs.backprop(deep, **rates), DEEP_ETA),
        }

    def probes(self) -> dict[str, cs.Probe]:
        return self.setup.alignment()

    def conditions(self) -> dict[str, Condition]:
        conditions = {label: replace(c, schedule=None) for label, c in super().conditions().items()}
        weights = {**self.probes(), "weights": self._weight_probe()}
        return conditions | {SAL: replace(conditions[SAL], probes=weights)}

    def _weight_probe(self) -> cs.WeightProbe:
        path = self.setup.out / "weights.npz"
        kept = cs.WeightHistory.load(path) if self.setup.resume and path.exists() else cs.WeightHistory()
        return cs.WeightProbe(self.setup.every, path=path, kept=kept)

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        cosines = list(result.by_site("gradient_cosine").values())
        yield {
            **result.percent("test", metric=self.setup.metric),
            "cosine, first hidden layer": mean_and_spread(cosines[0]),
            "cosine, mean of hidden layers": mean_and_spread(result.over_sites("gradient_cosine")),
        }

    @cached_property
    def accuracy(self) -> dict[str, Any]:
        """The accuracy on test samples in percent, ``[replica]``, keyed by label."""
        return {label: 100 * result.final(self.setup.metric, "test") for label, result in self.results.items()}

    def notes(self) -> str:
        lines = [
            f"- {circuit} start: assembled feedback against feedback frozen at unit size: "
            f"{mean(self.accuracy[sal]) - mean(self.accuracy[frozen]):+.1f} points, or "
            f"{deviations(self.accuracy[sal], self.accuracy[frozen]):.1f} standard deviations."
            for circuit, sal, frozen in (
                (f"{len(self.setup.hidden)} hidden layers, excitatory", SAL, FROZEN),
                (f"{DEPTH} hidden layers, signed random", DEEP[SAL], DEEP[FROZEN]),
            )
        ]  # fmt: skip
        lines.append(f"- {self._signed()}")
        lines.append(
            "\nDecay alone makes cos(V, Vt^T) rise, whatever the error (Lemma 1), so it is no evidence of learning. "
            "The evidence of self-assembly is accuracy and the cosine with the true gradient, compared with both "
            "controls."
        )
        return "\n".join(lines)

    def _signed(self) -> str:
        """Whether the circuit also needs to assemble feedback with random signs."""
        a, b = self.accuracy[SIGNED], self.accuracy[SAL]
        low, high = interval(a, b)
        against = f"({versus(a, b)}; 95 % confidence interval {low:+.1f} to {high:+.1f} points)"
        if high < 0:
            return f"Frozen feedback with random signs learns less well than the assembled circuit {against}."
        if low < 0 and high - low > WIDE:
            return f"Whether frozen feedback with random signs learns as well is undecided {against}."
        how = "better than" if low > 0 else "as well as"
        return (
            f"Frozen feedback with random signs learns {how} the assembled circuit {against}: on an easy task, "
            "feedback needs to be assembled only if its start is adverse (examples/connectivity.py)."
        )

    def figures(self) -> Mapping[str, Any]:
        first = self.results[SAL]
        motif = first.circuit.motif
        pictured = ["W0", *(v for v, _ in mirror_pairs(motif))]
        deep = set(DEEP.values())
        return {
            "self_assembly": plots.self_assembly({k: h for k, h in self.histories.items() if k not in deep}),
            "eight_layers": plots.self_assembly({k: h for k, h in self.histories.items() if k in deep}),
            "weights": plots.weights(first.before, first.after, projections=pictured, images=images_of(motif)),
            "motif": plots.draw(motif),
        }

    def save(self, out: Path) -> None:
        first = self.results[SAL]
        first.circuit.save(out / "circuit.safetensors")
        write_movie(first.circuit.motif, cs.WeightHistory.load(out / "weights.npz"), first.history,
                    out / "self_assembly.gif")  # fmt: skip


def write_movie(motif: cs.Motif, kept: cs.WeightHistory, history: cs.History, path: Path) -> None:
    """Write a GIF in which V becomes Vt^T (Lemma 1) and W Vt^T becomes V Wt^T (Theorem 1), with gradient cosines.

    Args:
        motif: a motif with descending projections.
        kept: its weights over the run. A product is omitted if some of the neurons that it sums over were not recorded.
        history: the history of the run, with `circuitsim.alignment` as a probe.
        path: the file to write, which ends with .gif.
    """
    w = {name: np.nan_to_num(array).astype(float) for name, array in kept.weights.items()}
    pairs = {(v, f"{vt}ᵀ"): (w[v], w[vt].swapaxes(1, 2)) for v, vt in mirror_pairs(motif)[:PAIRS]}
    for s in squares(motif)[:PAIRS]:
        between = (motif.projection(s.W).pre, motif.projection(s.V).pre)
        if all(len(kept.neurons[name]) == motif.population(name).size for name in between):
            products = w[s.W] @ w[s.Vt].swapaxes(1, 2), w[s.V] @ w[s.Wt].swapaxes(1, 2)
            pairs[f"{s.W} {s.Vt}ᵀ", f"{s.V} {s.Wt}ᵀ"] = products
    note = f" ({len(history.ran_away)} ran away, left out)" if history.ran_away else ""
    curves = {f"{site}{note}": history.curve("gradient_cosine", "probe", site) for site in hidden_sites(motif)}
    plots.animation(
        pairs, kept.epochs, path, title=motif.name, signals_title="cosine of W's change\nwith −∂loss/∂W",
        signals={site: (curve.index.to_numpy(), curve.mean(axis=1).to_numpy()) for site, curve in curves.items()},
    )  # fmt: skip


if __name__ == "__main__":
    SelfAssembly.main()
