"""Structure of weights and activity before and after learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from circuitsim import plots
from circuitsim.analysis import effective_rank
from circuitsim.engine import Circuit, compile
from circuitsim.errors import AnalysisError
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.controls import frozen_feedback, shuffled_error
from circuitsim.studies.experiment import Options, Report, spread
from circuitsim.studies.task import Task, hidden_sites, last_of, task_for
from circuitsim.train import Probe
from motifs import backprop, sal

HIDDEN = (60, 60, 60)  # the paper's width
EPOCHS = 50  # the paper's
QUANTITIES = {"rank_W": "W Wᵀ", "rank_h": "h hᵀ"}

ROWS: dict[str, Callable[[list[int]], Motif]] = {
    "SAL": sal,
    "SGD": backprop,
    "control: feedback frozen at random": lambda layers: frozen_feedback(sal(layers)),
    "control: shuffled error": lambda layers: shuffled_error(sal(layers)),
}


def representations(options: Options) -> Report:
    """W W^T and h h^T of every hidden layer before and after learning; their effective rank over training.

    The network has the paper's width of 60; h is the activity on held-out samples, so h h^T is their second moment
    (not centred). The effective rank is that of Roy & Vetterli (2007).

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 3 (SVHN, 50 epochs).
    """
    task = task_for(options, quick_epochs=6, hidden=HIDDEN, epochs=EPOCHS)
    histories: dict[str, History] = {}
    grams: dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]] = {}
    accuracies: dict[str, np.ndarray] = {}
    sites = hidden_sites(sal(task.layers))
    for label, make in ROWS.items():
        circuit = compile(make(task.layers), replicas=task.seeds, device=task.device)
        before = second_moments(circuit, task, sites)
        probe = Probe(lambda c: ranks(second_moments(c, task, sites)), every_epochs=task.every)
        histories[label] = task.learn(circuit, {"ranks": probe})
        grams[label] = (before, second_moments(circuit, task, sites))
        accuracies[label] = task.accuracy(circuit, histories[label])
        if histories[label].interrupted:
            break
    figures: dict[str, Any] = {f"matrices_{_word(label)}": _picture(label, *both) for label, both in grams.items()}
    for metric, name in QUANTITIES.items():
        for site in sites:
            figures[f"{metric}_{site}"] = plots.curves(
                histories, metric, site=site, split="probe", ylabel="effective rank",
                title=f"{name} of {site}'s postsynaptic neurons",
            )  # fmt: skip
    table = pd.DataFrame(
        [_row(label, history, accuracies[label], site) for label, history in histories.items() for site in sites]
    )
    title = f"Representations on {task.data.name}: mean ± standard deviation over {task.seeds} seeds"
    return Report(title, table, _notes(histories, sites, task), figures, histories, task.configuration)


def second_moments(circuit: Circuit, task: Task, sites: list[str]) -> dict[str, Tensor]:
    """``rank_W:site`` -> W W^T and ``rank_h:site`` -> E[h h^T] of W's postsynaptic neurons, ``[replica, n, n]``."""
    x = task.batch(circuit).x
    found = {}
    for site in sites:
        w = circuit.weights(site).double()
        h = circuit.predict(x, circuit.motif.projection(site).post).double()
        found[f"rank_W:{site}"] = w @ w.transpose(1, 2)
        found[f"rank_h:{site}"] = h.transpose(1, 2) @ h / h.shape[1]
    return found


def ranks(moments: dict[str, Tensor]) -> pd.DataFrame:
    """Effective ranks as a tidy table (quantity, site, replica, value); NaN where the rank is not defined."""
    rows = []
    for key, matrices in moments.items():
        quantity, site = key.split(":")
        rows += [
            {"quantity": quantity, "site": site, "replica": r, "value": _rank(m)} for r, m in enumerate(matrices.cpu())
        ]
    return pd.DataFrame(rows)


def _rank(matrix: Tensor) -> float:
    try:
        return float(effective_rank(matrix))
    except AnalysisError:  # silent neurons, or a replica that ran away
        return float("nan")


def _word(label: str) -> str:
    return label.replace("control: ", "").replace(" ", "_").lower()


def _picture(label: str, before: dict[str, Tensor], after: dict[str, Tensor]) -> Any:
    pairs: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key in after:
        quantity, site = key.split(":")
        both = tuple(torch.nan_to_num(m[key][0]).cpu().numpy() for m in (before, after))
        pairs.setdefault(site, {})[QUANTITIES[quantity]] = (both[0], both[1])
    return plots.similarity(pairs, title=f"{label}: first seed, each matrix scaled to a largest entry of 1")


def _row(label: str, history: History, accuracy: np.ndarray, site: str) -> dict[str, str]:
    row = {"circuit": label, "layer": site}
    for metric, name in QUANTITIES.items():
        row[f"rank of {name}, before"] = spread(_first(history, metric, site), 1)
        row[f"rank of {name}, after"] = spread(last_of(history, metric, [site]), 1)
    finite = accuracy[np.isfinite(accuracy)]
    row["accuracy, %"] = spread(finite) if len(finite) else "-"
    return row


def _first(history: History, metric: str, site: str) -> np.ndarray:
    return history.curve(metric, "probe", site).iloc[0].to_numpy()


def _notes(histories: dict[str, History], sites: list[str], task: Task) -> str:
    lines = [
        f"Effective rank (at most {max(task.setting.hidden)}; of W Wᵀ, whose singular values are the squares of W's) "
        "from before to after learning, mean over seeds. Whether it is learning that changes it, the controls tell. "
        "No number here is compared with the paper's Figure 3 (SVHN, 50 epochs)."
    ]
    for metric, name in QUANTITIES.items():
        for label, history in histories.items():
            changes = []
            for site in sites:
                a, b = _first(history, metric, site), last_of(history, metric, [site]).to_numpy()
                moved = b - a
                fell = int((moved < 0).sum())
                changes.append(f"{site} {np.mean(a):.1f} to {np.mean(b):.1f} (lower in {fell} of {len(moved)} seeds)")
            lines.append(f"- {name}, {label}: {', '.join(changes)}.")
    return "\n".join(lines)
