"""Show that the descending stream improves the circuit's response to the input that it has just seen.

python examples/short_term_modulation.py
python examples/short_term_modulation.py --dataset fashion_mnist --seeds 3
python examples/short_term_modulation.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import circuitsim as cs
from circuitsim import plots
from motifs import paper_sal
from support import Result, Study, mean, mean_and_spread

GAINS = (1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
QUICK_GAINS = (1e-3, 3e-2, 1.0)
BEFORE, MIXED, AFTER = "before assembly", "W assembled, V, Vt, Wt as at the start", "after assembly"
Weights = Mapping[str, Any]  # projection -> [replica, post, pre]


class ShortTermModulation(Study):
    """Measure the share of test inputs whose own loss falls when V g reaches hidden somata, as a function of its gain.

    SAL assembles itself, then plasticity is switched off. A first cycle leaves g in the descending neurons. In a
    second cycle, every hidden population receives W h + gain V g. (The output receives only W h, because V_L = 1 would
    make the result trivial.) The error of the first cycle needs the target, so this does not help with unlabelled
    inputs. The assembled circuit is compared with the circuit before assembly and with a hybrid that has only the
    learned W.

    Source: Liao et al. (2024), arXiv 2412.20018, section 2.3 (short-term modulation).
    """

    title = "Short-term modulation"

    @property
    def gains(self) -> tuple[float, ...]:
        """The gains of V g."""
        return QUICK_GAINS if self.setup.quick else GAINS

    def motifs(self) -> dict[str, cs.Motif]:
        return {"SAL": paper_sal(self.setup.layers, loss=self.setup.loss)}

    @cached_property
    def found(self) -> dict[tuple[str, float], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The results of `modulation`, keyed by circuit and gain."""
        result = self.results["SAL"]
        motif, before, after = result.circuit.motif, result.before, result.after
        mixed = {name: after[name] if _ascends(motif, name) else before[name] for name in after}
        split = self.setup.data.splits[self.setup.last_split]
        return {
            (label, gain): modulation(motif, weights, gain, split, str(result.circuit.device))
            for label, weights in ((BEFORE, before), (MIXED, mixed), (AFTER, after))
            for gain in self.gains
        }

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        for (circuit, gain), (falls, first, change) in self.found.items():
            yield {
                "circuit": circuit,
                "gain": f"{gain:g}",
                "inputs whose loss falls, %": mean_and_spread(falls, 1, scale=100),
                "mean loss, first cycle": mean_and_spread(first, 4),
                "mean change of the loss": mean_and_spread(change, 5),
            }

    def figures(self) -> Mapping[str, Any]:
        lines = {
            label: (self.gains, [100 * self.found[label, gain][0] for gain in self.gains])
            for label in (BEFORE, MIXED, AFTER)
        }
        xlabel, ylabel = "gain of V g at hidden somata", "test inputs whose own loss falls, %"
        return {"modulation": plots.dependence(lines, xlabel=xlabel, ylabel=ylabel)}

    def notes(self) -> str:
        small = min(self.gains)
        shares = {label: 100 * mean(self.found[label, small][0]) for label in (BEFORE, MIXED, AFTER)}
        changes = {gain: mean(self.found[AFTER, gain][2]) for gain in self.gains}
        best = min(changes, key=lambda gain: changes[gain])
        worse = ", ".join(f"{gain:g}" for gain, change in changes.items() if change > 0)
        return (
            f"At gain {small:g} the loss falls for {shares[BEFORE]:.1f} % of the test inputs before assembly, "
            f"{shares[MIXED]:.1f} % with the assembled W alone, {shares[AFTER]:.1f} % after assembly. The paper states "
            "that the modulation lowers the loss after assembly; chance is 50 %. No weight changes.\n\n"
            f"After assembly the mean loss falls most at gain {best:g}: {changes[best]:+.4f} from "
            f"{mean(self.found[AFTER, best][1]):.4f}." + (f" It rises at gains {worse}." if worse else "")
        )

    def configuration(self) -> Mapping[str, Any]:
        return {"gains": self.gains}


def modulated(motif: cs.Motif, gain: float) -> cs.Motif:
    """The motif in two phases without plasticity: first as declared, then with gain V g added at hidden somata."""
    outputs = {objective.output for objective in motif.objectives}
    ascending = {p.name for p in motif.populations if p.stream == "ascending"}
    soma = {p.name: 1.0 for p in motif.projections if _ascends(motif, p.name)}
    soma |= {
        p.name: gain
        for p in motif.projections
        if p.compartment == "dendrite" and p.pre not in ascending and p.post in ascending - outputs
    }
    two = motif.renamed(f"{motif.name}_modulated")
    two.add(cs.Phase("cycle", plastic=[]), cs.Phase("modulated", soma=soma, plastic=[], errors=False))
    return two


def modulation(
    motif: cs.Motif, weights: Weights, gain: float, split: cs.Split, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the share of samples whose loss falls, the mean first loss and the mean change, each ``[replica]``.

    The computation is in float64, because a small gain makes small differences. An unchanged loss has not fallen.
    """
    two = modulated(motif, gain)
    circuit = cs.compile(two, replicas=len(next(iter(weights.values()))), device=device, dtype="float64")
    for p in two.projections:
        if p.tied_to is None:
            circuit.set_weights(p.name, torch.as_tensor(weights[p.name]))
    samples = split.to(circuit.device, circuit.dtype)
    (objective,) = two.objectives
    first = losses(circuit.predict(samples.x), samples.target, objective.loss)
    circuit.cycle(samples.x, samples.target)
    change = losses(circuit.activity(objective.output), samples.target, objective.loss) - first
    return tuple(t.mean(1).cpu().numpy() for t in ((change < 0).double(), first, change))  # type: ignore[return-value]


def losses(output: Tensor, target: Any, loss: str) -> Tensor:
    """The loss of each sample, ``[replica, batch]``, for an output ``[replica, batch, neuron]``."""
    n = len(output)
    if loss == "cross_entropy":
        return functional.cross_entropy(output.transpose(1, 2), target.expand(n, -1), reduction="none")
    target = target.expand(n, -1, -1)
    if loss == "bce":
        return functional.binary_cross_entropy_with_logits(output, target, reduction="none").sum(2)
    return (output - target).square().sum(2) / 2


def _ascends(motif: cs.Motif, name: str) -> bool:
    p = motif.projection(name)
    return p.compartment == "soma" and motif.population(p.post).stream == motif.population(p.pre).stream == "ascending"


if __name__ == "__main__":
    ShortTermModulation.main()
