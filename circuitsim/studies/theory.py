"""Lemma 1, Theorem 1 and direct feedback: each claim of the theory measured on circuits that learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from circuitsim import plots
from circuitsim.analysis.squares import mirror_pairs
from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.controls import FROZEN_RATES, frozen_feedback, shuffled_error
from circuitsim.studies.direct_feedback import IDENTITY_COLUMNS, direct_feedback
from circuitsim.studies.experiment import Options, Report, spread
from circuitsim.studies.lemma import GAIN_V, GAMMA, lemma
from circuitsim.studies.task import Task, deviations, hidden_sites, last_of, task_for, versus
from motifs import sal

ASSEMBLY_ROWS: dict[str, Callable[[list[int]], Motif]] = {
    "SAL": sal,
    "control: feedback frozen at random": lambda layers: frozen_feedback(sal(layers, **FROZEN_RATES)),
    "control: shuffled error": lambda layers: shuffled_error(sal(layers)),
}
SHOWN = {
    "mirror_cosine": "cos(V, Vt^T)",
    "stationarity_cosine": "cos(W Vt^T, V Wt^T)",
    "stationarity_residual": "residual of W Vt^T = V Wt^T",
    "gradient_cosine": "cosine with the gradient",
}
# A frozen Wt has no rule, so no eta / gamma that the residual is in units of.
NOT_COMPARED = ("stationarity_residual", "control: feedback frozen at random")


def theory(options: Options) -> Report:
    """What Lemma 1 and Theorem 1 predict, measured beside two controls; and SAL as learned direct feedback.

    |V - Vt^T| against (1 - eta gamma)^n in float64 with constant eta, also under other convex regularizers;
    stationarity, the eigenvalues of V V^T and the cosine with the gradient over training; the identity of V with
    direct Kolen-Pollack where Wt does not change.

    Source: Liao et al. (2024), arXiv 2412.20018, Lemma 1 and Theorem 1; the generalisation to convex regularizers
    and the identity are ours; Webster, Choi & Ahn (openreview zgGmAx9ZcY).
    """
    task = task_for(options, quick_epochs=6)
    gaps, rows, lemma_note = lemma(task)
    histories: dict[str, History] = {}
    eigenvalues: dict[str, dict[str, np.ndarray]] = {}
    circuits: dict[str, Circuit] = {}
    for label, make in ASSEMBLY_ROWS.items():
        circuit = circuits[label] = compile(make(task.layers), replicas=task.seeds, device=task.device)
        histories[label] = task.learn(circuit, {"alignment": task.aligned(circuit, tuple(SHOWN))})
        rows += _assembly_rows(label, circuit, histories[label])
        for v, _ in mirror_pairs(circuit.motif):
            w = circuit.weights(v).double().cpu()
            eigenvalues.setdefault(v, {})[label] = torch.linalg.eigvalsh(w @ w.transpose(1, 2)).numpy()
    rows += _eigenvalue_rows(eigenvalues, task.layers[-1])
    identity = direct_feedback(task)
    rows += [
        {
            "claim": IDENTITY_COLUMNS[row["quantity"]],
            "circuit": row["circuit"],
            "site": row["site"],
            "measured": row["value"],
        }
        for row in identity.to_dict("records")
    ]
    pairs = mirror_pairs(circuits["SAL"].motif)
    figures = {f"lemma_{v}": plots.curves(gaps, "gap", site=v, ylabel=f"|{v} − {vt}ᵀ|, start = 1") for v, vt in pairs}
    figures["self_assembly"] = plots.self_assembly(histories)
    figures["eigenvalues"] = plots.spectra(eigenvalues, mark=task.layers[-1], title="Eigenvalues of V Vᵀ at the end")
    table = pd.DataFrame(rows, columns=["claim", "circuit", "site", "measured", "predicted"]).fillna("")
    configuration = {**task.configuration, "lemma": {"gamma": GAMMA, "gain_V": GAIN_V}}
    histories |= {f"lemma: {label}": history for label, history in gaps.items()}
    notes = "\n".join([lemma_note, *_notes(circuits["SAL"], histories, eigenvalues, identity, task)])
    title = f"Theory on {task.data.name}: {task.seeds} seeds"
    return Report(title, table, notes, figures, histories, configuration)


def _assembly_rows(label: str, circuit: Circuit, history: History) -> list[dict[str, Any]]:
    hidden = hidden_sites(circuit.motif)
    rows = []
    for quantity, claim in SHOWN.items():
        last = last_of(history, quantity, hidden if quantity == "gradient_cosine" else None)
        rows += [
            {"claim": claim, "circuit": label, "site": site, "measured": spread(values)}
            for site, values in last.groupby("site")
        ]
    return rows


def _gaps(hidden: list[str], histories: dict[str, History]) -> list[str]:
    """How far SAL's cosine with the gradient is above each control, layer by layer."""
    found = {label: last_of(histories[label], "gradient_cosine", hidden) for label in ASSEMBLY_ROWS}
    lines = []
    for label in ASSEMBLY_ROWS:
        if label != "SAL":
            gaps = ", ".join(
                f"{site} {deviations(found['SAL'][site].to_numpy(), found[label][site].to_numpy()):.1f}"
                for site in hidden
            )
            lines.append(
                f"- SAL's cosine with the gradient above that of {label.removeprefix('control: ')}, in standard "
                f"deviations of the difference between seeds, by hidden layer: {gaps}."
            )
    return lines


def _eigenvalue_rows(eigenvalues: dict[str, dict[str, np.ndarray]], n_out: int) -> list[dict[str, Any]]:
    rows = []
    for v, runs in eigenvalues.items():
        for label, values in runs.items():
            row = {"circuit": label, "site": v}
            smallest, share = values[:, 0].mean(), top_share(values, n_out)
            rows.append({**row, "claim": "smallest eigenvalue of V V^T, mean", "measured": f"{smallest:.2g}"})
            rows.append({**row, "claim": f"share of the largest {n_out} in the trace", "measured": spread(share)})
    return rows


def top_share(eigenvalues: np.ndarray, n: int) -> np.ndarray:
    """The share of the n largest in the sum, by replica; `eigenvalues` ascend, shape ``[replica, eigenvalue]``."""
    share: np.ndarray = eigenvalues[:, -n:].sum(1) / eigenvalues.sum(1)
    return share


def memory(circuit: Circuit) -> float:
    """Steps in which decay forgets: 1 / (eta gamma) of the first V."""
    parameters = circuit.parameters(mirror_pairs(circuit.motif)[0][0])
    return float(1 / (parameters["eta"] * parameters["gamma"]))


def _notes(
    circuit: Circuit,
    histories: dict[str, History],
    eigenvalues: dict[str, dict[str, np.ndarray]],
    identity: pd.DataFrame,
    task: Task,
) -> list[str]:
    lines = []
    hidden = hidden_sites(circuit.motif)
    for quantity, claim in SHOWN.items():
        sites = hidden if quantity == "gradient_cosine" else None
        values = {
            label: last_of(histories[label], quantity, sites).groupby("replica").mean().to_numpy()
            for label in ASSEMBLY_ROWS
        }
        means = ", ".join(f"{label} {value.mean():.2f}" for label, value in values.items())
        against = "; ".join(
            f"SAL less {label.removeprefix('control: ')}: {versus(values['SAL'], value)}"
            for label, value in values.items()
            if label != "SAL" and (quantity, label) != NOT_COMPARED
        )
        lines.append(f"- {claim}, mean over layers at the end: {means}. {against}.")
    lines += _gaps(hidden, histories)
    n_steps, n_memory = circuit.n_steps, memory(circuit)
    lines.append(
        "- A residual of 0 would be the identity of Theorem 1; it holds at rest, and decay forgets in "
        f"1 / (eta gamma) = {n_memory:.0f} steps (V, without schedule), while the run has {n_steps}. It compares both "
        "sides in units of their own eta / gamma; a frozen Wt has no such unit, so that control's is that of the "
        "matrices as they are."
    )
    n = task.layers[-1]
    shares = ", ".join(
        f"{label} {np.mean([top_share(runs[label], n).mean() for runs in eigenvalues.values()]):.3f}"
        for label in ASSEMBLY_ROWS
    )
    lines.append(
        f"- V V^T is positive semi-definite whatever V is. Share of its {n} largest eigenvalues in its trace (mean "
        f"over layers): {shares}. Theorem 1 with a positive definite H would need the others too; a semi-definite H "
        "still lowers the loss (Proposition 1)."
    )
    for label, part in identity.groupby("circuit"):
        error = part[part.quantity.isin(["V_error", "I_V_error"])].number.max()
        cosine = part[part.quantity == "cosine"].number.mean()
        lines.append(
            f"- Direct Kolen-Pollack, {label}: V differs from K A^T, and I_V from K A^T A e, by {error:.0e} at most; "
            f"cosine of I_V with K e, the current of direct Kolen-Pollack, {cosine:.2f}."
        )
    return lines
