"""Section 3 of the paper: competition among synapses pairs the two streams one to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import motifs
from circuitsim import plots
from circuitsim.analysis.squares import mirror_pairs
from circuitsim.engine import Circuit
from circuitsim.motif import Motif
from circuitsim.studies.experiment import Options, Report, independent_circuits
from circuitsim.studies.train_all import train_all
from circuitsim.studies.trained import Trained, bench, loss_of, mean, shown

SAL, ALL, STRONGEST = "SAL", "competition with all rivals", "competition with the strongest rival"
ROWS: dict[str, Callable[..., Motif]] = {
    SAL: motifs.sal,
    ALL: lambda layers, **options: motifs.winner_take_all(layers, rivals="all", name="all_rivals", **options),
    STRONGEST: lambda layers, **options: motifs.winner_take_all(layers, rivals="strongest", **options),
}


@independent_circuits
def winner_take_all(options: Options) -> Report:
    """How much of a neuron's input from the other stream its largest synapse holds, over time, with competition.

    The measure: of every row of V and of Vt (a neuron's incoming synapses) the share of its squared weight that the
    largest synapse holds; the mean over rows. 1 is one to one, 1 / n is even.

    Source: Liao et al. (2024), arXiv 2412.20018, section 3 (Winner-Take-All); the form of the competition is ours.
    """
    on = bench(options)
    made = {label: make(on.layers, loss=loss_of(on)) for label, make in ROWS.items()}
    runs = train_all(made, on, measures=[largest_shares])
    table = pd.DataFrame([_row(label, run) for label, run in runs.items()])
    histories = {label: run.history for label, run in runs.items()}
    winner = runs[STRONGEST]
    after = {p.name: winner.circuit.weights(p.name).cpu().numpy() for p in winner.circuit.motif.projections}
    pictured = [v for v, _ in mirror_pairs(winner.circuit.motif)]
    figures = {
        f"share_{kind}": plots.curves(
            histories, f"largest_share_{kind}", split="probe", ylabel=f"largest share, {kind}"
        )
        for kind in ("V", "Vt")
    }
    figures["weights"] = plots.weights(winner.before, after, projections=pictured)
    title = f"Winner-Take-All, {on.data.name}: mean ± standard deviation over {on.seeds} seeds"
    return Report(title, table, _notes(runs), figures, histories, on.configuration)


def largest_share(weights: Any) -> np.ndarray:
    """Mean over rows of ``max(w**2) / sum(w**2)``.

    Args:
        weights: ``[replica, post, pre]``.
    Returns:
        Shape ``[replica]``; rows of zeros are left out, and a replica that has no other row is NaN.
    """
    squares = np.asarray(weights, dtype=np.float64) ** 2
    totals, largest = squares.sum(2), squares.max(2)
    alive = totals > 0
    shares = np.where(alive, largest / np.where(alive, totals, 1.0), 0.0)
    n = alive.sum(1)
    return np.where(n > 0, shares.sum(1) / np.maximum(n, 1), np.nan)


def largest_shares(circuit: Circuit) -> dict[str, np.ndarray]:
    """Of V and of Vt, mean over hidden layers, each ``[replica]``."""
    pairs = mirror_pairs(circuit.motif)
    names = {"V": [v for v, _ in pairs], "Vt": [vt for _, vt in pairs]}
    return {
        f"largest_share_{kind}": np.mean([largest_share(circuit.weights(name).cpu()) for name in found], axis=0)
        for kind, found in names.items()
    }


def _row(label: str, run: Trained) -> dict[str, Any]:
    rules = [run.circuit.motif.projection(v).rule for v, _ in mirror_pairs(run.circuit.motif)]
    competition = rules[0].parameters.get("competition", 0.0) if rules and rules[0] is not None else 0.0
    row: dict[str, Any] = {"circuit": label, "competition": competition}
    for kind in ("V", "Vt"):
        curve = run.history.curve(f"largest_share_{kind}", "probe")
        row[f"largest share of {kind}, start"] = shown(curve.iloc[0])
        row[f"largest share of {kind}, end"] = shown(curve.iloc[-1])
    norms = [run.circuit.weights(v).flatten(1).norm(dim=1).mean().item() for v, _ in mirror_pairs(run.circuit.motif)]
    row["norm of V"] = "\n".join(f"{norm:.2f}" for norm in norms)
    row |= {f"{split} accuracy, %": shown(run.final("accuracy", split), scale=100) for split in ("validation", "test")}
    row["ran away"] = run.n_runaways
    return row


def _notes(runs: dict[str, Trained]) -> str:
    lines = []
    for label in (ALL, STRONGEST):
        ratios, points = [], []
        for kind in ("V", "Vt"):
            ends = [mean(runs[k].history.curve(f"largest_share_{kind}", "probe").iloc[-1]) for k in (label, SAL)]
            ratios.append(f"{ends[0] / ends[1]:.2f} times for {kind} ({ends[0]:.2f} against {ends[1]:.2f})")
        for split in ("validation", "test"):
            scores = [100 * mean(runs[k].final("accuracy", split)) for k in (label, SAL)]
            points.append(f"{scores[0] - scores[1]:+.2f} points of {split} accuracy")
        lines.append(
            f"- {label}: the largest synapse's share is {' and '.join(ratios)} of plain SAL's; {' and '.join(points)}."
        )
    lines.append(
        "\nThe paper gives no numbers for this. Equal weights are a stable state of competition with all rivals (see "
        "`motifs.winner_take_all`), which is why there is a second form."
    )
    return "\n".join(lines)
