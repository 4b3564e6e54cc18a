"""Test whether competition among synapses pairs the two streams one to one.

python examples/winner_take_all.py
python examples/winner_take_all.py --dataset fashion_mnist --seeds 3
python examples/winner_take_all.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import circuitsim as cs
import motifs
from circuitsim import plots
from circuitsim.analysis.self_alignment import mirror_pairs
from support import Result, Study, mean, mean_and_spread
from support.circuits import norm

SAL, ALL, STRONGEST = "SAL", "competition with all rivals", "competition with the strongest rival"
KINDS = ("V", "Vt")


class WinnerTakeAll(Study):
    """Measure the largest synapse's share of a neuron's input from the other stream over time, with competition.

    For every row of V and Vt (the incoming synapses of a neuron), the measure is the share of the squared weight that
    the largest synapse has, averaged over rows. It is 1 for one-to-one pairs and 1 / n for equal weights.

    Source: Liao et al. (2024), arXiv 2412.20018, section 3 (Winner-Take-All); the form of the competition is ours.
    """

    title = "Winner-Take-All"

    def motifs(self) -> dict[str, cs.Motif]:
        layers, loss = self.setup.layers, self.setup.loss
        return {
            SAL: motifs.paper_sal(layers, loss=loss),
            ALL: motifs.winner_take_all(layers, rivals="all", name="all_rivals", loss=loss),
            STRONGEST: motifs.winner_take_all(layers, rivals="strongest", loss=loss),
        }

    def probes(self) -> dict[str, cs.Probe]:
        return {"largest_shares": cs.Probe(largest_shares, every_epochs=self.setup.every)}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        pairs = mirror_pairs(result.circuit.motif)
        rule = result.circuit.motif.projection(pairs[0][0]).rule
        row: dict[str, Any] = {"competition": 0.0 if rule is None else rule.parameters.get("competition", 0.0)}
        for kind in KINDS:
            for time, values in (("start", result.first), ("end", result.final)):
                row[f"largest share of {kind}, {time}"] = mean_and_spread(values(f"largest_share_{kind}", "probe"))
        norms = [norm(result.circuit.weights(v)).mean() for v, _ in pairs]
        row["norm of V"] = "\n".join(f"{value:.2f}" for value in norms)
        yield row | result.percent("validation", "test")

    def figures(self) -> Mapping[str, Any]:
        winner = self.results[STRONGEST]
        pictured = [v for v, _ in mirror_pairs(winner.circuit.motif)]
        shares = {
            f"share_{kind}": plots.curves(
                self.histories, f"largest_share_{kind}", split="probe", ylabel=f"largest share, {kind}"
            )
            for kind in KINDS
        }
        return {**shares, "weights": plots.weights(winner.before, winner.after, projections=pictured)}

    def notes(self) -> str:
        lines = []
        for label in (ALL, STRONGEST):
            both = self.results[label], self.results[SAL]
            ratios, points = [], []
            for kind in KINDS:
                ours, plain = (mean(result.final(f"largest_share_{kind}", "probe")) for result in both)
                ratios.append(f"{ours / plain:.2f} times for {kind} ({ours:.2f} against {plain:.2f})")
            for split in ("validation", "test"):
                ours, plain = (100 * mean(result.final("accuracy", split)) for result in both)
                points.append(f"{ours - plain:+.2f} points of {split} accuracy")
            lines.append(
                f"- {label}: the largest synapse's share is {' and '.join(ratios)} of plain SAL's; "
                f"{' and '.join(points)}."
            )
        lines.append(
            "\nThe paper gives no numbers for this. Equal weights are a stable state of competition with all rivals "
            "(see `motifs.winner_take_all`), so there is a second form of competition."
        )
        return "\n".join(lines)


def largest_share(weights: Any) -> np.ndarray:
    """The mean over rows of ``max(w**2) / sum(w**2)``.

    Args:
        weights: the weights, ``[replica, post, pre]``.
    Returns:
        The means, ``[replica]``. Rows of zeros are excluded, and a replica without other rows is NaN.
    """
    squares = np.asarray(weights, dtype=np.float64) ** 2
    totals, largest = squares.sum(2), squares.max(2)
    alive = totals > 0
    shares = np.where(alive, largest / np.where(alive, totals, 1.0), 0.0)
    n = alive.sum(1)
    return np.where(n > 0, shares.sum(1) / np.maximum(n, 1), np.nan)


def largest_shares(circuit: cs.Circuit) -> dict[str, np.ndarray]:
    """The largest shares of V and of Vt, averaged over hidden layers, each ``[replica]``."""
    names = dict(zip(KINDS, zip(*mirror_pairs(circuit.motif), strict=True), strict=True))
    return {
        f"largest_share_{kind}": np.mean([largest_share(circuit.weights(name).cpu()) for name in found], axis=0)
        for kind, found in names.items()
    }


if __name__ == "__main__":
    WinnerTakeAll.main()
