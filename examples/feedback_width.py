"""Find out how wide the descending stream must be.

python examples/feedback_width.py
python examples/feedback_width.py --dataset fashion_mnist --seeds 3
python examples/feedback_width.py --quick
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch

import circuitsim as cs
from circuitsim import plots
from motifs import paper_sal, sal
from support import Result, Study, mean, mean_and_spread

RATIOS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
QUICK_RATIOS = (0.5, 2.0, 10.0)
# At the rates of `paper_sal`, every circuit with a rectified descending stream runs away, because its g is never
# negative and so cannot make a neuron less active. These rates keep it finite on digits (the best of 22 settings).
RECTIFIED: dict[str, Any] = {"eta": 0.02, "eta_V": 0.05, "eta_Wt": 0.05}
CIRCUITS: dict[str, Callable[..., cs.Motif]] = {
    **{d: functools.partial(sal, descending=d, name=f"sal_{d}") for d in ("linear", "relu", "tanh")},
    "paper, linear": paper_sal,
    "paper, relu": functools.partial(paper_sal, descending="relu", name="paper_sal_relu", **RECTIFIED),
    "paper, tanh": functools.partial(paper_sal, descending="tanh", name="paper_sal_tanh"),
}


class FeedbackWidth(Study):
    """Measure accuracy against the size of the descending stream, for several activations of its neurons.

    "Paper" stands for the form of SAL with the paper's equations, the other rows for the normalised form.

    All hidden descending populations have m neurons, where m is such that Wt has `ratio` times as many synapses as W
    (including the input layer). The paper does not define its count, so the table gives m, Wt / W, and
    (Wt + V + Vt) / W. The table also gives the eigenvalues of A^T A at the start, where A = Wt_l ... Wt_{L-1}. For a
    Gaussian Wt of variance 1/m, they lie approximately within (1 ± sqrt(n_out / m))^2 at the top hidden layer. Wider
    streams are closer to an isometry.

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 2 (0.5 to 10 times, best at 5 to 8 times).
    """

    title = "Width of the descending stream"

    @cached_property
    def widths(self) -> list[int]:
        """The widths m."""
        return [width_for(self.setup.layers, ratio) for ratio in (QUICK_RATIOS if self.setup.quick else RATIOS)]

    def motif(self, circuit: str, m: int) -> cs.Motif:
        """Return one of `CIRCUITS` with a descending stream of this width."""
        return CIRCUITS[circuit](self.setup.layers, [m] * len(self.setup.hidden), loss=self.setup.loss)

    def motifs(self) -> dict[str, cs.Motif]:
        return {f"{name}, m = {m}": self.motif(name, m) for name in CIRCUITS for m in self.widths}

    def _result(self, circuit: str, m: int) -> Result:
        return self.results[f"{circuit}, m = {m}"]

    @cached_property
    def starts(self) -> dict[int, dict[str, tuple[np.ndarray, np.ndarray]]]:
        """The extreme eigenvalues of `isometry` at the start, keyed by width."""
        made = {
            m: cs.compile(self.motif("linear", m), replicas=self.setup.seeds, seed=self.setup.seed, device="cpu")
            for m in self.widths
        }
        return {m: isometry(circuit) for m, circuit in made.items()}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        circuit, m = label.split(", m = ")
        n = counts(self.setup.layers, int(m))
        row: dict[str, Any] = {"circuit": circuit, "m": int(m), "synapses of Wt": n["Wt"]}
        row |= {"Wt / W": f"{n['Wt'] / n['W']:.2f}", "(Wt + V + Vt) / W": f"{(n['Wt'] + n['V']) / n['W']:.2f}"}
        row |= result.percent("validation", "test")
        row["(1 ± √(n/m))²"] = "{:.2f} to {:.2f}".format(*band(self.setup.layers[-1], int(m)))
        for place, (smallest, largest) in self.starts[int(m)].items():
            row[f"eigenvalues of AᵀA, {place}"] = f"{smallest.mean():.2f} to {largest.mean():.2f}"
        yield row

    def figures(self) -> Mapping[str, Any]:
        ratios = [counts(self.setup.layers, m) for m in self.widths]
        axis = [round(n["Wt"] / n["W"], 2) for n in ratios]
        test = {
            name: (axis, [100 * self._result(name, m).final("accuracy", "test") for m in self.widths])
            for name in CIRCUITS
        }
        ends = {
            f"{place} hidden layer, {end}": (axis, np.stack([self.starts[m][place][k] for m in self.widths]))
            for place in ("top", "lowest")
            for k, end in enumerate(("smallest", "largest"))
        }
        bands = np.array([band(self.setup.layers[-1], m) for m in self.widths])
        ends |= {f"(1 ± √(n/m))², {end}": (axis, bands[:, [k]]) for k, end in enumerate(("low", "high"))}
        xlabel = "synapses of Wt / synapses of W"
        return {
            "accuracy": plots.dependence(test, xlabel=xlabel, ylabel="test accuracy, %"),
            "isometry": plots.dependence(ends, xlabel=xlabel, ylabel="eigenvalues of AᵀA at the start"),
        }

    def notes(self) -> str:
        lines = ["Best ratio Wt / W by validation accuracy (the paper finds 5 to 8):"]
        synapses = {m: counts(self.setup.layers, m) for m in self.widths}
        for name in CIRCUITS:
            results = {m: self._result(name, m) for m in self.widths}
            scores = {m: mean(result.final("accuracy", "validation")) for m, result in results.items()}
            scores = {m: score for m, score in scores.items() if score == score}
            if not scores:
                lines.append(f"- {name}: every circuit ran away")
                continue
            best = max(scores, key=lambda m: scores[m])
            tests = {m: 100 * result.final("accuracy", "test") for m, result in results.items()}
            lost = sum(len(result.runaways) for result in results.values())
            away = f"; {lost} of {self.setup.seeds * len(results)} circuits ran away" if lost else ""
            lines.append(
                f"- {name}: {synapses[best]['Wt'] / synapses[best]['W']:.2f} (m = {best}), test accuracy "
                f"{mean_and_spread(tests[best])} %; {trend([n['Wt'] for n in synapses.values()], tests.values())}"
                + (f"; with {RECTIFIED}" if name == "paper, relu" else "")
                + away
            )
        lines.append(
            "\nIf width helps because it makes A an isometry, accuracy should rise while the band (1 ± √(n/m))² is "
            "wide and level off once it is narrow. The paper's optimum at 5 to 8 times and the decline beyond it would "
            "need another explanation."
        )
        return "\n".join(lines)

    def configuration(self) -> Mapping[str, Any]:
        return {"options of the paper's form with relu": RECTIFIED}


def width_for(layers: list[int], ratio: float) -> int:
    """The width m at which Wt has about `ratio` times the synapses of W, from (k - 1) m^2 + n_out m = ratio * W."""
    n_hidden, n_out = len(layers) - 2, layers[-1]
    target = ratio * sum(a * b for a, b in pairwise(layers))
    if n_hidden == 1:
        return max(1, round(target / n_out))
    a = n_hidden - 1
    return max(1, round((math.sqrt(n_out**2 + 4 * a * target) - n_out) / (2 * a)))


def counts(layers: list[int], m: int) -> dict[str, int]:
    """The numbers of synapses of W, of Wt, and of V and Vt together (without the fixed one-to-one V at the output)."""
    hidden = layers[1:-1]
    return {
        "W": sum(a * b for a, b in pairwise(layers)),
        "Wt": (len(hidden) - 1) * m * m + m * layers[-1],
        "V": 2 * m * sum(hidden),
    }


def band(n_out: int, m: int) -> tuple[float, float]:
    """The interval (1 ± sqrt(n/m))^2 of A^T A's eigenvalues, for a large Gaussian matrix (Marchenko & Pastur 1967)."""
    root = math.sqrt(n_out / m)
    return (1 - root) ** 2, (1 + root) ** 2


def isometry(circuit: cs.Circuit) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The smallest and largest eigenvalues of A^T A at the top and the lowest hidden layer, each ``[replica]``."""
    n_hidden = sum(p.name.startswith("Wt") for p in circuit.motif.projections)
    product: torch.Tensor | None = None
    found = {}
    for layer in range(n_hidden, 0, -1):
        weights = circuit.weights(f"Wt{layer}").double()
        product = weights if product is None else weights @ product
        values = torch.linalg.eigvalsh(product.transpose(1, 2) @ product).cpu().numpy()
        found["top" if layer == n_hidden else "lowest"] = (values[:, 0], values[:, -1])
    found.setdefault("lowest", found["top"])  # a single hidden layer is both
    return found


def trend(synapses: Sequence[int], accuracies: Iterable[np.ndarray]) -> str:
    """Describe how accuracy changes with each doubling of Wt (least squares, seed by seed), and how the widths compare.

    Args:
        synapses: the number of synapses of Wt at each width.
        accuracies: the accuracy at each width in percent, ``[replica]``.
    """
    values = np.stack(list(accuracies))
    kept = values[:, np.isfinite(values).all(0)]
    if not kept.size:
        return "no seed survived at every width"
    slopes, means = np.polyfit(np.log2(synapses), kept, 1)[0], kept.mean(1)
    return (
        f"{mean_and_spread(slopes)} points with each doubling of Wt; means from {means.min():.2f} to "
        f"{means.max():.2f} %, {means[0]:.2f} % at the narrowest"
    )


if __name__ == "__main__":
    FeedbackWidth.main()
