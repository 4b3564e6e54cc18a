"""Print the tables of docs/results.md from the CSV files beside it.

python benchmarks/results_tables.py docs/results
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from circuitsim.studies.experiment import as_markdown, spread

ROWS = {
    "sal_20": "SAL (gated)",
    "sal_20_eta1.5": "SAL, all eta 1.5 times as large",
    "sal_20_wide3": "SAL, descending stream 600 wide",
    "sal_20_wide8": "SAL, descending stream 1600 wide",
    "sal_ungated_20": "SAL (ungated)",
    "backprop_20": "SGD",
    "kolen_pollack_20": "Kolen-Pollack",
    "direct_kolen_pollack_20": "direct Kolen-Pollack",
    "feedback_alignment_20": "feedback alignment",
    "frozen_20": "control: feedback frozen at random, its own best rates",
    "shuffled_20": "control: shuffled error",
    "sal_60": "**60 epochs** SAL (gated)",
    "sal_60_constant": "**60 epochs** SAL, constant eta",
    "backprop_60": "**60 epochs** SGD",
    "frozen_60": "**60 epochs** control: feedback frozen",
}


def row(label: str, table: pd.DataFrame) -> dict[str, str]:
    """Mean and spread over seeds, accuracies in percent; layers from the lowest up."""
    found = {"circuit": label, "ran away": f"{int(table.ran_away.sum())} of {len(table)}"}
    for split in ("validation", "train", "test"):
        found[split] = spread(100 * table[f"{split}_accuracy"])
    for title, quantity, sites in (
        ("cosine with the gradient, hidden layers", "gradient_cosine", ("W0", "W1", "W2")),
        ("stationarity cosine", "stationarity_cosine", ("W1", "W2", "W3")),
        ("cos(V, Vt^T)", "mirror_cosine", ("V1", "V2", "V3")),
    ):
        columns = [f"{quantity}_{site}" for site in sites if f"{quantity}_{site}" in table]
        found[title] = ", ".join(spread(table[column]) for column in columns) or "-"
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/results")
    present = {name: label for name, label in ROWS.items() if (folder / f"{name}.csv").exists()}
    print(
        as_markdown(pd.DataFrame([row(label, pd.read_csv(folder / f"{name}.csv")) for name, label in present.items()]))
    )
