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
        gaps[label] = task.learn(circuit, {"gap": gap_probe(circuit)}, schedule=None)
        rows += _lemma_rows(label, circuit, gaps[label])
        if label == "l2":
            gaps[PREDICTED] = _prediction(circuit, gaps["l2"])
    return gaps, rows, _note(gaps, [v for v, _ in mirror_pairs(circuit.motif)])


def gap_probe(circuit: Circuit) -> Probe:
    """|V - Vt^T| after every step, in units of its start, by V."""
    pairs = mirror_pairs(circuit.motif)

    def gap(c: Circuit, v: str, vt: str) -> np.ndarray:
        difference = c.weights(v) - c.weights(vt).transpose(1, 2)
        return difference.double().flatten(1).norm(dim=1).cpu().numpy()

    starts = {v: gap(circuit, v, vt) for v, vt in pairs}

    def measure(c: Circuit) -> pd.DataFrame:
        found = [
            {"quantity": "gap", "site": v, "replica": r, "value": value}
            for v, vt in pairs
            for r, value in enumerate(gap(c, v, vt) / starts[v])
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


def _lemma_rows(label: str, circuit: Circuit, history: History) -> list[dict[str, Any]]:
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
        rises = int((np.diff(ratio, axis=0) > 1e-12).sum())
        rows.append(
            {**row, "claim": "steps at which the gap rises", "measured": f"{rises} of {ratio[1:].size}",
             "predicted": "0"}
        )  # fmt: skip
    return rows


def _note(gaps: dict[str, History], sites: list[str]) -> str:
    def off(label: str) -> float:
        columns = [(gap_table(gaps[label], v), gap_table(gaps[PREDICTED], v)) for v in sites]
        return max(float(np.abs(a.to_numpy() / b.to_numpy()[: len(a)] - 1).max()) for a, b in columns)

    def ends(label: str) -> str:
        return ", ".join(f"{v} {gap_table(gaps[label], v).iloc[-1].mean():.3f}" for v in sites)

    return (
        f"- Lemma 1: the gap |V - Vt^T| keeps to (1 - eta gamma)^n within {off('l2'):.0e} (relative, every step), and "
        f"within {off('l2, shuffled error'):.0e} where the error is shuffled: it says nothing about learning. At the "
        f"end, start = 1: {ends('l2')}; under the homeostatic regularizer {ends('homeostatic')}, under l1 "
        f"{ends('l1')}. The table says whether it ever rose (l1's subgradient can overshoot zero by eta gamma a "
        "synapse)."
    )
