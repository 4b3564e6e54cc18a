"""The self-assembly of one circuit as an animation."""

from __future__ import annotations

import os

import numpy as np

from circuitsim import plots
from circuitsim.analysis.squares import mirror_pairs, squares
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.plots.panels import hidden_sites
from circuitsim.plots.series import series
from circuitsim.weight_history import WeightHistory

AT_MOST = 2  # pairs of each sort


def write_movie(motif: Motif, kept: WeightHistory, history: History, path: str | os.PathLike[str]) -> None:
    """A GIF: V becomes Vt^T (Lemma 1), W Vt^T becomes V Wt^T (Theorem 1), beside the cosine with the gradient.

    Args:
        motif: with descending projections.
        kept: its weights over the run. A product is left out where some of the neurons that it sums over are not kept.
        history: of the run, with `circuitsim.alignment` as a probe.
        path: ends with .gif.
    Raises:
        ParameterError: the motif has no pair V, Vt.
        ArchiveError: the file cannot be written.
    """
    w = {name: np.nan_to_num(array).astype(float) for name, array in kept.weights.items()}
    pairs = {(v, f"{vt}ᵀ"): (w[v], w[vt].swapaxes(1, 2)) for v, vt in mirror_pairs(motif)[:AT_MOST]}
    for s in squares(motif)[:AT_MOST]:
        between = (motif.projection(s.W).pre, motif.projection(s.V).pre)
        if all(len(kept.neurons[name]) == motif.population(name).size for name in between):
            names = (f"{s.W} {s.Vt}ᵀ", f"{s.V} {s.Wt}ᵀ")
            pairs[names] = (w[s.W] @ w[s.Vt].swapaxes(1, 2), w[s.V] @ w[s.Wt].swapaxes(1, 2))
    plots.animation(
        pairs, kept.epochs, path, signals=_gradient_cosines(history), title=motif.name,
        signals_title="cosine of W's change\nwith −∂loss/∂W",
    )  # fmt: skip


def _gradient_cosines(history: History) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Means over replicas, one for each hidden layer."""
    table = history.to_pandas()
    rows = table[table.metric == "gradient_cosine"]
    curves = {site: series(rows[rows.site == site]) for site in hidden_sites({"run": table})}
    return {site: (curve.epochs, curve.mean) for site, curve in curves.items()}
