"""Table 1 of the paper: SGD, its biologically plausible rivals, and SAL, on one data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from circuitsim import plots
from circuitsim.studies.experiment import Options, Report, independent_circuits
from circuitsim.studies.task import Task
from circuitsim.studies.train_all import train_all
from circuitsim.studies.trained import Trained, bench, loss_of, mean, metric_of, shown
from circuitsim.studies.tuned_settings import tuned
from circuitsim.studies.tuning import ALGORITHMS

ROWS = (
    "backprop", "kolen_pollack", "weight_mirror", "direct_kolen_pollack", "direct_feedback_alignment",
    "feedback_alignment", "sal", "sal_ungated",
)  # fmt: skip
SGD, KP, WM, _, _, FA, GATED, UNGATED = (ALGORITHMS[name].label for name in ROWS)

# Liao et al. (2024), Table 1, in percent, in the order SGD, FA, WM, KP, SAL.
PAPER = {
    "cifar10": (50.36, 47.85, 49.35, 48.16, 51.91),
    "mnist": (98.44, 97.80, 98.40, 98.45, 98.85),
    "fashion_mnist": (96.80, 95.75, 96.00, 96.13, 97.23),
    "chestmnist": (73.26, 70.44, 70.14, 71.03, 73.21),
    "pathmnist": (70.11, 69.90, 70.00, 69.51, 70.23),
    "svhn": (78.20, 78.03, 78.08, 78.20, 78.50),
    "stl10": (41.00, 39.29, 39.48, 40.32, 41.50),
}
REMARKS = {
    "fashion_mnist": "The paper's figures for Fashion-MNIST, 95.75 to 97.23 %, are not plausible as *test* accuracies "
    "of such a network: a well-tuned fully connected network reaches 89 to 90 % there. They look like training "
    "accuracies, so the column beside them is the train column.",
    "chestmnist": "The paper's figure for ChestMNIST is probably an area under the ROC curve: compare it with AUC.",
}


@independent_circuits
def benchmark_table(options: Options, rows: Sequence[str] = ROWS) -> Report:
    """Train and test accuracy of SGD, its rivals and SAL (or of some `rows`), beside the paper's figures.

    Each algorithm runs with the settings that `circuitsim tune` found for it on this data set, and with its motif's
    defaults where it was never run there. SAL is shown with the gate of W's rule by the slope of the postsynaptic
    neuron, and without (equation 5 as it reads).

    Source: Liao et al. (2024), arXiv 2412.20018, Table 1.
    """
    on = bench(options)
    settings = {name: tuned(options.dataset).get(name, {}) for name in rows}
    made = {ALGORITHMS[k].label: ALGORITHMS[k].make(on.layers, loss=loss_of(on), **settings[k]) for k in rows}
    runs = train_all(made, on)
    table = pd.DataFrame([_row(label, run, on) for label, run in runs.items()])
    histories = {label: run.history for label, run in runs.items() if run.history.rows}
    figures = {"validation": plots.curves(histories, metric_of(on), split="validation")} if on.data.validation else {}
    title = f"{on.data.name}: mean ± standard deviation over {on.seeds} seeds, {on.setting.epochs} epochs"
    return Report(title, table, _notes(runs, on), figures, histories, on.configuration | {"settings": settings})


def paper_figures(dataset: str) -> dict[str, float]:
    """The paper's figures for a data set by row, in percent; empty where it has none. SAL's stand at both rows."""
    if dataset not in PAPER:
        return {}
    sgd, fa, wm, kp, sal = PAPER[dataset]
    return {SGD: sgd, FA: fa, WM: wm, KP: kp, GATED: sal, UNGATED: sal}


def _metrics(on: Task) -> list[tuple[str, str, float]]:
    """Metric, heading and factor."""
    names = {"accuracy": ("accuracy, %", 100.0), "auc": ("AUC, %", 100.0), "loss": ("loss", 1.0)}
    wanted = ["auc", "accuracy"] if metric_of(on) == "auc" else [metric_of(on)]
    return [(name, *names[name]) for name in wanted]


def _row(label: str, run: Trained, on: Task) -> dict[str, Any]:
    row: dict[str, Any] = {"algorithm": label}
    for metric, heading, factor in _metrics(on):
        for split in ("train", "test"):
            row[f"{split} {heading}"] = shown(run.final(metric, split), scale=factor)
    paper = paper_figures(on.data.name)
    row["paper, %"] = f"{paper[label]:.2f}" if label in paper else "-"
    row["ran away"] = run.n_runaways
    return row


def _notes(runs: dict[str, Trained], on: Task) -> str:
    metric, heading, factor = _metrics(on)[0]
    test = {label: factor * mean(run.final(metric, "test")) for label, run in runs.items()}
    order = sorted((label for label in test if test[label] == test[label]), key=lambda label: -test[label])
    unit = "" if metric == "loss" else " points"
    lines = [f"Test {heading.split(',')[0]}, from high to low: " + ", ".join(f"{k} {test[k]:.2f}" for k in order) + "."]
    rivals = [label for label in test if label not in (GATED, UNGATED)]
    for label in (GATED, UNGATED):
        if label in test:
            gaps = ", ".join(f"{test[label] - test[rival]:+.2f} against {rival}" for rival in rivals)
            lines.append(f"{label}: {gaps}{unit}.")
    paper = paper_figures(on.data.name)
    if paper:
        lines.append(f"In the paper SAL minus SGD: {paper[GATED] - paper[SGD]:+.2f} points.")
    else:
        lines.append(f"The paper has no figures for {on.data.name}.")
    lines.append(REMARKS.get(on.data.name, ""))
    return "\n\n".join(line for line in lines if line)
