"""Find out for which initial connectivity feedback needs to be assembled.

python examples/connectivity.py
python examples/connectivity.py --dataset fashion_mnist --epochs 12 --seeds 5
python examples/connectivity.py --quick
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

import circuitsim as cs
from circuitsim import plots
from circuitsim.plots import kind_of
from motifs import frozen_feedback, sal
from support import Condition, Result, Study, interval, mean, mean_and_spread
from support.circuits import SILENT, STRONG, descending_pathways, scale_eta, with_sign

ASSEMBLED, FROZEN = "assembled", "frozen"
FACTORS = (0.5, 1.0, 2.0)  # on every eta; each row shows the best one on validation, for both circuits alike
POOR = 10.0  # a circuit has learned poorly if it is more points below the reference
LEVEL = 3.0  # two circuits are level if the confidence interval of their difference is within so many points


@dataclass(frozen=True)
class Start:
    """A start of the descending pathways V, Vt and Wt.

    Args:
        sign: of all their weights, as in `cs.Gaussian`; None for random signs.
        gain: the gain of V and Vt in the circuit that assembles. Frozen feedback has unit size.
        density: the share of synapses that exist.
        width: the size of the descending populations relative to the output; None for the sizes of their partners.
        opposed: whether V Wt is the negative transpose of W, so that each hidden layer starts with minus the gradient.
        dale: keeps the signs throughout: "alone" without inhibition, "silent" with inhibitory synapses that start at 0,
            "balanced" with inhibitory synapses as strong as the excitatory ones.
        lesioned: the share of synapses that is lost in the middle of training.
    """

    sign: str | None = None
    gain: float = SILENT
    density: float = 1.0
    width: float | None = None
    opposed: bool = False
    dale: str | None = None
    lesioned: float = 0.0


REFERENCE = "signed random"
STARTS = {
    REFERENCE: Start(),
    "excitatory": Start("positive"),
    "excitatory, strong": Start("positive", STRONG),
    "excitatory, 15 % of synapses": Start("positive", density=0.15),
    "inhibitory": Start("negative"),
    "wrong-signed": Start(opposed=True),
    **{f"{percent} % of synapses": Start(density=percent / 100) for percent in (50, 15, 5, 2, 1)},
    "half as wide as the output": Start(width=0.5),
    "a fifth as wide as the output": Start(width=0.2),
    "half lesioned midway": Start(lesioned=0.5),
    "Dale: excitatory only": Start("positive", dale="alone"),
    "Dale: inhibition silent at first": Start("positive", dale="silent"),
    "Dale: inhibition balanced": Start("positive", dale="balanced"),
}
QUICK_STARTS = (REFERENCE, "excitatory", "wrong-signed", "half lesioned midway", "Dale: inhibition silent at first")


class Connectivity(Study):
    """Start one circuit from different descending pathways, and compare feedback that assembles with frozen feedback.

    Both have the same ascending weights at the start, constant rates, and the same choice of learning rates, of which
    the best on validation is shown. Frozen feedback has unit size. The measures are test accuracy and the cosine of
    the changes of hidden W with the gradient on held-out samples. "Dale" rows keep the sign of every descending synapse
    throughout. Where there is inhibition, an interneuron copies each neuron and carries the negative part of its
    projections. Activities are still signed (as deviations from a baseline), and so is W.

    Source: ours; the circuit is that of Liao et al. (2024), arXiv 2412.20018, which assumes random connectivity.
    """

    title = "Connectivity"
    epochs = 100
    quick_epochs = 10

    @property
    def starts(self) -> dict[str, Start]:
        """The starts of the run, keyed by label."""
        return {k: STARTS[k] for k in QUICK_STARTS} if self.setup.quick else STARTS

    @property
    def factors(self) -> tuple[float, ...]:
        """The factors on every eta."""
        return (1.0,) if self.setup.quick else FACTORS

    def conditions(self) -> dict[str, Condition]:
        probes = {
            name: replace(probe, every_epochs=self.setup.epochs)  # at the start and at the end
            for name, probe in self.setup.alignment(["gradient_cosine"]).items()
        }
        made = {}
        for label, start in self.starts.items():
            acts = {"lesioned": self._lesion(start.lesioned)} if start.lesioned else {}
            for feedback in (ASSEMBLED, FROZEN):
                motif = make(start, self.setup.layers, feedback == FROZEN, self.setup.seeds, self.setup.loss)
                for factor in self.factors:
                    made[_key(label, feedback, factor)] = Condition(
                        scale_eta(motif, factor), {**probes, **acts}, schedule=None
                    )
        return made

    def _lesion(self, share: float) -> cs.Probe:
        """A probe that removes synapses once, after half of the epochs, and reports how many each replica lost."""

        def measure(circuit: cs.Circuit) -> Any:
            is_whole = all(circuit.mask(p.name).all() for p in circuit.motif.projections if p.rule is not None)
            is_due = circuit.n_steps > 0 and is_whole
            return lesion(circuit, share) if is_due else np.zeros(circuit.n_replicas)

        return cs.Probe(measure, every_epochs=max(1, self.setup.epochs // 2))

    @cached_property
    def best(self) -> dict[tuple[str, str], tuple[float, Result]]:
        """The factor that is best on validation (or, without it, training) data, keyed by start and circuit."""
        split = "train" if self.setup.data.validation is None else "validation"

        def score(result: Result) -> float:
            return float(np.nan_to_num(result.final(self.setup.metric, split)).mean())  # a runaway counts as 0

        found = {}
        for label in self.starts:
            for feedback in (ASSEMBLED, FROZEN):
                by_factor = {f: self.results[_key(label, feedback, f)] for f in self.factors}
                best = max(by_factor, key=lambda f: score(by_factor[f]))
                found[label, feedback] = best, by_factor[best]
        return found

    @property
    def accuracy_title(self) -> str:
        return f"{self.setup.last_split} {self.setup.metric}, %"

    def accuracy(self, label: str, feedback: str) -> Any:
        """The accuracy in percent, ``[replica]``."""
        return 100 * self.best[label, feedback][1].final(self.setup.metric, self.setup.last_split)

    def cosine(self, label: str, feedback: str) -> Any:
        """The mean cosine of hidden W's changes with the gradient, ``[replica]``."""
        return self.best[label, feedback][1].over_sites("gradient_cosine")

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        """One row for a start, with a line for each of its two circuits."""

        def cell(values: Callable[[str, str], Any]) -> str:
            return "\n".join(mean_and_spread(values(label, feedback)) for feedback in (ASSEMBLED, FROZEN))

        pair = [self.best[label, feedback] for feedback in (ASSEMBLED, FROZEN)]
        yield {
            "start": label,
            "feedback": f"{ASSEMBLED}\n{FROZEN}",
            "eta": "\n".join(f"× {factor:g}" for factor, _ in pair),
            self.accuracy_title: cell(self.accuracy),
            "cosine with the gradient": cell(self.cosine),
            "ran away": "\n".join(found.ran_away for _, found in pair),
        }

    def table(self) -> pd.DataFrame:
        """One row for each start, rather than for each condition."""
        return pd.DataFrame([row for label in self.starts for row in self.rows(label, self.best[label, ASSEMBLED][1])])

    def figures(self) -> Mapping[str, Any]:
        def panel(measure: Callable[[str, str], Any]) -> dict[str, dict[str, Any]]:
            return {label: {f: measure(label, f) for f in (ASSEMBLED, FROZEN)} for label in self.starts}

        panels = {
            self.accuracy_title: panel(self.accuracy),
            "cosine with the gradient": panel(self.cosine),
        }
        return {"connectivity": plots.dots(panels, title=f"Start of the descending pathways, {self.setup.data.name}")}

    def notes(self) -> str:
        reference = mean(self.accuracy(REFERENCE, ASSEMBLED))
        lines = [
            "The difference between assembled and frozen feedback in points, with its 95 % confidence interval over "
            "seeds:"
        ]
        for label in self.starts:
            a, b = (self.accuracy(label, feedback) for feedback in (ASSEMBLED, FROZEN))
            low, high = interval(a, b)
            lines.append(f"- {label}: {mean(a - b):+.1f} ({low:+.1f} to {high:+.1f}), {verdict(a, b, reference)}.")
        lines.append(
            f"\nAssembly is needed where only frozen feedback ends more than {POOR:g} points below the circuit that "
            f"assembles from {REFERENCE} feedback. Frozen feedback does as well where the interval is within "
            f"{LEVEL:g} points."
        )
        return "\n".join(lines)

    def configuration(self) -> Mapping[str, Any]:
        return {"gains of V and Vt": {"silent": SILENT, "strong": STRONG}, "factors on eta": self.factors}


def _key(label: str, feedback: str, factor: float) -> str:
    return f"{label}, {feedback}, eta × {factor:g}"


def verdict(assembled: Any, frozen: Any, reference: float) -> str:
    """Say in words what the accuracies of both circuits (in percent, ``[replica]``) mean for a start."""
    low, high = interval(assembled, frozen)
    poor = [mean(values) < reference - POOR for values in (assembled, frozen)]
    if all(poor):
        return "neither learns well" + (", but assembly helps" if low > 0 else "")
    if low > 0:
        return "assembly is needed" if poor[1] else "assembly helps"
    if high < 0:
        return "frozen feedback is better"
    return "frozen feedback does as well" if -LEVEL < low and high < LEVEL else "undecided with so few seeds"


def make(start: Start, layers: list[int], frozen: bool, seeds: int, loss: str = "cross_entropy") -> cs.Motif:
    """SAL from a start, with feedback that assembles or is frozen at unit size."""
    n_hidden = len(layers) - 2
    feedback = None if start.width is None else [max(1, round(start.width * layers[-1]))] * n_hidden
    gain_V = STRONG if frozen else start.gain
    motif = with_sign(sal(layers, feedback, gain_V=gain_V, gain_Wt=STRONG, loss=loss), start.sign)
    for p in descending_pathways(motif) if start.density < 1 else ():
        motif = motif.replace(p.name, connectivity=cs.Random(start.density))
    if start.opposed:
        motif = opposed(motif, gain_V, seeds)
    if start.dale is not None:
        motif = with_dale(motif, start.dale)
    return frozen_feedback(motif) if frozen else motif


def opposed(motif: cs.Motif, gain_V: float, seeds: int) -> cs.Motif:
    """Start with feedback that carries minus the gradient, up to slopes.

    With random orthogonal A_l (the identity at the output)::

        V_l = -gain_V A_l        Vt_l = V_l^T        Wt_l = A_l^T W_l^T A_{l+1}

    The product V_l Wt_l .. Wt_L is then minus the product of the transposes of W_l .. W_L.
    """
    circuit = cs.compile(motif, replicas=seeds, seed=0, device="cpu", dtype="float64")
    n_hidden = sum(p.name.startswith("Wt") for p in motif.projections)
    rng = np.random.default_rng(0)
    sizes = [motif.population(f"up{layer}").size for layer in range(1, n_hidden + 1)]
    A = [np.linalg.qr(rng.normal(size=(seeds, n, n)))[0] for n in sizes]
    A.append(np.eye(motif.population(f"up{n_hidden + 1}").size))
    for layer in range(1, n_hidden + 1):
        here, above = A[layer - 1], A[layer]
        W = circuit.weights(f"W{layer}").numpy()
        Wt = here.swapaxes(1, 2) @ W.swapaxes(1, 2) @ above
        motif = motif.replace(f"V{layer}", init=cs.Given(-gain_V * here))
        motif = motif.replace(f"Vt{layer}", init=cs.Given(-gain_V * here.swapaxes(1, 2)))
        motif = motif.replace(f"Wt{layer}", init=cs.Given(Wt))
    return motif


def with_dale(motif: cs.Motif, inhibition: str) -> cs.Motif:
    """Keep the sign of every synapse of V, Vt and Wt.

    The projections themselves are excitatory. Unless `inhibition` is "alone", each has an inhibitory partner with the
    same rule, whose interneurons copy the presynaptic neurons one to one. A rule that reads the current of the
    projection reads the sum of both.
    """
    pathways = descending_pathways(motif)
    made = cs.Motif(f"{motif.name}_dale")
    partners = [] if inhibition == "alone" else [p.name for p in pathways]
    pattern = re.compile(rf"\bI_({'|'.join(partners)})\b") if partners else None

    def rule(p: cs.Projection) -> cs.Rule | None:
        if p.rule is None or pattern is None:
            return p.rule
        return cs.Rule(pattern.sub(r"(I_\1 + I_\1_inhibitory)", p.rule.expression), **p.rule.parameters)

    for value in motif.values:
        if not isinstance(value, cs.Projection):
            made.add(value)
    for name in dict.fromkeys(p.pre for p in pathways if partners):
        made.add(replace(motif.population(name), name=f"{name}_inhibitory", activation="linear"))
        made.connect(name, f"{name}_inhibitory", name=f"{name}_copy", plastic=False, init=cs.Identity(),
                     connectivity=cs.OneToOne())  # fmt: skip
    for p in motif.projections:
        excitatory = replace(p, rule=rule(p), bounds=(0, None) if p in pathways else p.bounds)
        made.add(excitatory)
        if p.name in partners:
            assert isinstance(p.init, cs.Gaussian)
            init = replace(p.init, sign="negative") if inhibition == "balanced" else cs.Constant(0.0)
            made.add(replace(excitatory, name=f"{p.name}_inhibitory", pre=f"{p.pre}_inhibitory", init=init,
                             bounds=(None, 0)))  # fmt: skip
    return made


def lesion(circuit: cs.Circuit, share: float) -> np.ndarray:
    """Remove a random share of the synapses of V, Vt and Wt permanently.

    Returns:
        The number of removed synapses, ``[replica]``.
    """
    rng = np.random.default_rng(0)
    removed = np.zeros(circuit.n_replicas)
    for p in circuit.motif.projections:
        if p.rule is not None and kind_of(circuit.motif, p.name) != "W":
            own, pinned = circuit.weights(p.name), list(circuit.pinned)
            weights = own.clone()
            weights[rng.random(weights.shape) < share] = 0.0
            weights[pinned] = own[pinned]  # a replica that ran away keeps its last good state
            circuit.set_weights(p.name, weights)
            removed += circuit.prune(p.name, threshold=1e-30).cpu().numpy()
    return removed


if __name__ == "__main__":
    Connectivity.main()
