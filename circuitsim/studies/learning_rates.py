"""Final accuracy over a grid of the overall learning rate."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

import numpy as np
import pandas as pd

from circuitsim import plots
from circuitsim.engine import Circuit
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.batch import compile_together
from circuitsim.studies.experiment import Options, Report, spread
from circuitsim.studies.task import Task, task_for, versus
from motifs import backprop, sal

FACTORS = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0)
QUICK_FACTORS = (0.1, 1.0, 3.0)
COLLAPSED = 50.0  # percent of the best accuracy of the same circuit

MOTIFS: dict[str, Callable[..., Motif]] = {"SAL": sal, "SGD": backprop}
ETA: dict[str, float] = {label: inspect.signature(make).parameters["eta"].default for label, make in MOTIFS.items()}

Make = Callable[[float], Motif]


def learning_rates(options: Options) -> Report:
    """Final accuracy over the overall factor on eta, the ratio of the four rates fixed; SGD beside SAL.

    All factors of a circuit run as replicas of one batched circuit, and every factor starts from the same weights.

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 5.
    """
    task = task_for(options, quick_epochs=5)
    factors = QUICK_FACTORS if options.quick else FACTORS
    found: dict[str, np.ndarray] = {}
    histories: dict[str, History] = {}
    for label, make in MOTIFS.items():
        circuit = compile_grid(functools.partial(_scaled, make, task.layers, ETA[label]), factors, task)
        history = task.learn(circuit)
        accuracies = task.accuracy(circuit, history).reshape(len(factors), task.seeds)
        found[label] = accuracies
        for k, factor in enumerate(factors):
            histories[f"{label} × {factor:g}"] = _part(history, k * task.seeds, task.seeds)
        if history.interrupted:
            break
    table = pd.DataFrame(
        [
            {
                "circuit": label,
                "factor": factor,
                "eta of W": round(ETA[label] * factor, 4),
                f"{task.last_split} accuracy, %": spread(values[np.isfinite(values)]) if _any(values) else "-",
                "ran away": f"{int((~np.isfinite(values)).sum())} of {len(values)}",
            }
            for label, grid in found.items()
            for factor, values in zip(factors, grid, strict=True)
        ]
    )
    figure = plots.dependence(
        {label: (factors, grid) for label, grid in found.items()}, xlabel="overall factor on every eta",
        ylabel=f"{task.last_split} accuracy, %", title=f"{options.dataset}: ratio of the four rates fixed",
    )  # fmt: skip
    return Report(
        f"Learning rates on {task.data.name}: mean ± standard deviation over {task.seeds} seeds", table,
        _notes(found, factors, task), {"learning_rates": figure}, histories,
        {**task.configuration, "factors": factors, "eta at factor 1": ETA},
    )  # fmt: skip


def _scaled(make: Callable[..., Motif], layers: list[int], eta: float, factor: float) -> Motif:
    return make(layers, eta=eta * factor)


def compile_grid(make: Make, factors: tuple[float, ...], task: Task) -> Circuit:
    """Replica ``f * seeds + s`` has factor f and the starting weights of seed s."""
    motifs = [make(factor) for factor in factors for _ in range(task.seeds)]
    circuit = compile_together(motifs, seed=0, device=task.device)
    for p in circuit.motif.projections:
        if p.weight is None:
            starts = circuit.weights(p.name)[: task.seeds]
            circuit.set_weights(p.name, starts.repeat(len(factors), 1, 1))
    return circuit


def _part(history: History, first: int, n: int) -> History:
    """The rows and runaways of some replicas, counted from 0."""
    rows = [(*row[:2], row[2] - first, *row[3:]) for row in history.rows if first <= row[2] < first + n]
    runaways = [
        {**runaway, "replica": runaway["replica"] - first}
        for runaway in history.runaways
        if first <= runaway["replica"] < first + n
    ]
    return History(rows=rows, runaways=runaways, interrupted=history.interrupted)


def _any(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).any())


def _notes(found: dict[str, np.ndarray], factors: tuple[float, ...], task: Task) -> str:
    lines = [
        "Every rule's eta was multiplied by one factor, so that the ratio of the four rates stayed as it was (cosine "
        "schedule). A replica that ran away is put back to its last good state and left out of the mean. No "
        "number here is compared with the paper's Figure 5."
    ]
    best: dict[str, int] = {}
    for label, grid in found.items():
        means = [float(values[np.isfinite(values)].mean()) if _any(values) else np.nan for values in grid]
        if not _any(np.array(means)):
            lines.append(f"- {label}: every replica ran away at every factor.")
            continue
        k = best[label] = int(np.nanargmax(means))
        good = [
            f"{factor:g}"
            for factor, values, mean in zip(factors, grid, means, strict=True)
            if np.isfinite(values).all() and mean >= means[k] - 1.0
        ]
        bad = [f"{factor:g}" for factor, values in zip(factors, grid, strict=True) if not np.isfinite(values).all()]
        collapsed = [
            f"{factor:g}" for factor, mean in zip(factors, means, strict=True) if mean < COLLAPSED / 100 * means[k]
        ]
        lines.append(
            f"- {label}: best at factor {factors[k]:g}, {means[k]:.2f} %. Within one point of that, with no replica "
            f"lost: {', '.join(good) or 'none'}. Runaways at: {', '.join(bad) or 'none'}. Below half of the best "
            f"without running away: {', '.join(collapsed) or 'none'}."
        )
    if len(best) == 2:
        a, b = (found[label][best[label]] for label in ("SAL", "SGD"))
        lines.append(f"- SAL at its best factor against SGD at its own: {versus(a, b)}; same split, so optimistic.")
    return "\n".join(lines)
