"""Lemma 1: |V - Vt^T| decays at a known rate, whatever the data; and it shrinks under any shared convex regularizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from circuitsim.analysis.squares import mirror_pairs
from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.controls import shuffled_error
from circuitsim.studies.experiment import spread
from circuitsim.studies.task import Task
from circuitsim.train import Probe
from motifs import sal

# Lemma 1 holds for any decay; this one makes the gap shrink enough to be seen within a run.
GAMMA, GAIN_V = 0.01, 1.0
LEMMA_ROWS: dict[str, Callable[[list[int]], Motif]] = {
    "l2": lambda layers: sal(layers, gamma=GAMMA, gain_V=GAIN_V),
    "l2, shuffled error": lambda layers: shuffled_error(sal(layers, gamma=GAMMA, gain_V=GAIN_V)),
    "homeostatic": lambda layers: sal(layers, regularizer="homeostatic", gamma=GAMMA, gain_V=GAIN_V),
    "l1": lambda layers: sal(layers, regularizer="l1", gamma=GAMMA, gain_V=GAIN_V),
}
ROUNDING = 1e-12  # of the gap in units of its start
PREDICTED = "predicted: (1 - η γ)ⁿ"


def lemma(task: Task) -> tuple[dict[str, History], list[dict[str, Any]], str]:
    """The gap after every step in float64 with constant eta.

    Returns:
        Histories by circuit (and the predicted line), rows of the table, and a note.
    """
    gaps: dict[str, History] = {}
    rows: list[dict[str, Any]] = []
    for label, make in LEMMA_ROWS.items():
        circuit = compile(make(task.layers), replicas=task.seeds, dtype="float64", device=task.device)
        starts = {v: gap_norm(circuit, v, vt) for v, vt in mirror_pairs(circuit.motif)}
        gaps[label] = task.learn(circuit, {"gap": gap_probe(starts)}, schedule=None)
        rows += _lemma_rows(label, circuit, gaps[label], starts)
        if label == "l2":
            gaps[PREDICTED] = _prediction(circuit, gaps["l2"])
    return gaps, rows, _note(gaps, [v for v, _ in mirror_pairs(circuit.motif)])


def gap_norm(circuit: Circuit, v: str, vt: str) -> np.ndarray:
    """|V - Vt^T|, shape ``[replica]``."""
    difference = circuit.weights(v) - circuit.weights(vt).transpose(1, 2)
    return difference.double().flatten(1).norm(dim=1).cpu().numpy()


def gap_probe(starts: dict[str, np.ndarray]) -> Probe:
    """|V - Vt^T| after every step in units of its start, by V."""

    def measure(c: Circuit) -> pd.DataFrame:
        found = [
            {"quantity": "gap", "site": v, "replica": r, "value": value}
            for v, vt in mirror_pairs(c.motif)
            for r, value in enumerate(gap_norm(c, v, vt) / starts[v])
        ]
        return pd.DataFrame(found)

    return Probe(measure, every_steps=1)


def predicted(circuit: Circuit, v: str, n: np.ndarray) -> np.ndarray:
    """(1 - eta gamma)^n with the rates that the rule of V declares."""
    parameters = circuit.parameters(v)
    return (1.0 - parameters["eta"] * parameters["gamma"]) ** n


def _prediction(circuit: Circuit, measured: History) -> History:
    """The predicted line as a history, so that it can be drawn beside the measured ones."""
    table = measured.to_pandas()
    line = History()
    for row in table[(table.metric == "gap") & (table.replica == 0)].to_dict("records"):
        value = predicted(circuit, row["site"], np.array([row["step"]]))
        line.add(step=row["step"], epoch=row["epoch"], split="probe", metric="gap", site=row["site"], values=value)
    return line


def gap_table(history: History, v: str) -> pd.DataFrame:
    """The gap by step (rows) and replica (columns)."""
    table = history.to_pandas()
    chosen = table[(table.metric == "gap") & (table.site == v)]
    return chosen.pivot_table(index="step", columns="replica", values="value", aggfunc="last")


def overshoot(circuit: Circuit, v: str) -> float:
    """By how much l1 can widen the gap in a step: a synapse with V and Vt on both sides of 0 moves by 2 eta gamma.

    Where both have one sign their difference stays; where not, it ends within 2 eta gamma unless it shrank.
    """
    parameters = circuit.parameters(v)
    n_synapses = circuit.weights(v)[0].numel()
    return float(2 * parameters["eta"] * parameters["gamma"] * np.sqrt(n_synapses))


def _lemma_rows(label: str, circuit: Circuit, history: History, starts: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rows = []
    for v, vt in mirror_pairs(circuit.motif):
        gap = gap_table(history, v)
        steps = gap.index.to_numpy()
        ratio = gap.to_numpy()
        row = {"circuit": label, "site": v}
        rows.append(
            {**row, "claim": f"|{v} - {vt}^T| after {steps[-1]} steps, start = 1", "measured": spread(ratio[-1], 4),
             "predicted": f"{predicted(circuit, v, steps[-1:])[0]:.4f}" if label.startswith("l2") else "below 1"}
        )  # fmt: skip
        if label.startswith("l2"):
            off = np.abs(ratio / predicted(circuit, v, steps)[:, None] - 1).max()
            rows.append({**row, "claim": "largest relative error of the line", "measured": f"{off:.1e}"})
        rises = np.diff(ratio, axis=0)
        bound = overshoot(circuit, v) / starts[v].min() if label == "l1" else 0.0
        rows.append(
            {
                **row,
                "claim": "steps at which the gap rises",
                "measured": f"{int((rises > ROUNDING).sum())} of {rises.size}",
                "predicted": "some" if bound else "0",
            }
        )
        rows.append(
            {
                **row,
                "claim": "largest rise in a step",
                "measured": f"{max(0.0, rises.max()):.1e}",
                "predicted": f"at most {bound:.1e}",
            }
        )
    return rows


def _note(gaps: dict[str, History], sites: list[str]) -> str:
    def off(label: str) -> float:
        columns = [(gap_table(gaps[label], v), gap_table(gaps[PREDICTED], v)) for v in sites]
        return max(float(np.abs(a.to_numpy() / b.to_numpy()[: len(a)] - 1).max()) for a, b in columns)

    def ends(label: str) -> str:
        return ", ".join(f"{v} {gap_table(gaps[label], v).iloc[-1].mean():.3f}" for v in sites)

    def rises(label: str) -> str:
        steps = np.concatenate([np.diff(gap_table(gaps[label], v).to_numpy(), axis=0).ravel() for v in sites])
        return f"{int((steps > ROUNDING).sum())} of {steps.size}"

    return (
        f"- Lemma 1: the gap |V - Vt^T| keeps to (1 - eta gamma)^n within {off('l2'):.0e} (relative, every step), and "
        f"within {off('l2, shuffled error'):.0e} where the error is shuffled: it says nothing about learning. At the "
        f"end, start = 1: {ends('l2')}; under the homeostatic regularizer {ends('homeostatic')}, under l1 "
        f"{ends('l1')}. Steps at which it rose: {rises('l2')} (l2), {rises('homeostatic')} (homeostatic), "
        f"{rises('l1')} (l1, whose subgradient overshoots zero by up to eta gamma a synapse in finite steps)."
    )
