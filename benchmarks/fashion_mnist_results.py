"""The numbers of docs/results.md on Fashion-MNIST: 784-200-200-200-10, batch 256, seeds 0 to 4.

    python benchmarks/fashion_mnist_results.py sal_20 sal_60 --out docs/results
    python benchmarks/fashion_mnist_results.py --list

Each condition writes CONDITION.csv with one row per seed: accuracies on all splits, the alignment of every layer on
1,000 validation samples at the end, and whether the seed ran away. Settings come from `circuitsim tune` (the frozen
control: from benchmarks/fashion_mnist_search.py), on the validation split; the test split is only reported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import circuitsim as cs
from circuitsim.studies.controls import FROZEN_RATES, frozen_feedback, shuffled_error
from circuitsim.studies.self_assembly import TITLES
from motifs import backprop, direct_kolen_pollack, feedback_alignment, kolen_pollack, sal

LAYERS = [784, 200, 200, 200, 10]


@dataclass(frozen=True)
class Condition:
    """What is run: a motif, for so many epochs, under a schedule."""

    make: Callable[[], cs.Motif]
    epochs: int = 20
    schedule: str | None = "cosine"


def default_eta() -> float:
    """The rate of W that `sal` ships with."""
    return float(sal(LAYERS).projection("W0").rule.parameters["eta"])


def frozen() -> cs.Motif:
    """Feedback frozen at random, at the rates that the search found best for it."""
    return frozen_feedback(sal(LAYERS, **FROZEN_RATES))


CONDITIONS = {
    "sal_20": Condition(lambda: sal(LAYERS)),
    "sal_60": Condition(lambda: sal(LAYERS), epochs=60),
    "sal_60_constant": Condition(lambda: sal(LAYERS), epochs=60, schedule=None),
    "sal_20_wide3": Condition(lambda: sal(LAYERS, [600] * 3)),
    "sal_20_wide8": Condition(lambda: sal(LAYERS, [1600] * 3)),
    "sal_20_eta1.5": Condition(lambda: sal(LAYERS, eta=1.5 * default_eta())),
    "sal_ungated_20": Condition(lambda: sal(LAYERS, gated=False)),
    "backprop_20": Condition(lambda: backprop(LAYERS)),
    "backprop_60": Condition(lambda: backprop(LAYERS), epochs=60),
    "kolen_pollack_20": Condition(lambda: kolen_pollack(LAYERS)),
    "direct_kolen_pollack_20": Condition(lambda: direct_kolen_pollack(LAYERS)),
    "feedback_alignment_20": Condition(lambda: feedback_alignment(LAYERS)),
    "frozen_20": Condition(frozen),
    "frozen_60": Condition(frozen, epochs=60),
    "shuffled_20": Condition(lambda: shuffled_error(sal(LAYERS))),
}


def run(condition: Condition, data: cs.Dataset, seeds: int, device: str) -> pd.DataFrame:
    """One row per seed."""
    circuit = cs.compile(condition.make(), replicas=seeds, seed=0, device=device)
    started = time.perf_counter()
    try:
        history = cs.fit(
            circuit, data, epochs=condition.epochs, schedule=condition.schedule, evaluate_every=5, on_divergence="hold"
        )
        runaways = history.runaways
    except cs.SimulationDiverged as error:  # every seed ran away
        history, runaways = error.history, error.history.runaways
    rows = {"seed": list(range(seeds)), "ran_away": [any(r["replica"] == k for r in runaways) for k in range(seeds)]}
    for split in ("train", "validation", "test"):
        rows[f"{split}_accuracy"] = cs.evaluate(circuit, data, split)["accuracy"]
    table = pd.DataFrame(rows)
    x, target = data.validation.x[:1000], data.validation.target[:1000]
    alignment = cs.alignment(circuit, x, target, tuple(TITLES))
    wide = alignment.assign(name=alignment.quantity + "_" + alignment.site)
    table = table.join(wide.pivot_table(index="replica", columns="name", values="value"), on="seed")
    table["seconds"] = time.perf_counter() - started
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("conditions", nargs="*", metavar="CONDITION")
    parser.add_argument("--list", action="store_true", help="list the conditions")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    unknown = set(arguments.conditions) - set(CONDITIONS)
    if arguments.list or unknown or not arguments.conditions:
        parser.exit(bool(unknown), f"conditions: {', '.join(CONDITIONS)}\n")
    data = cs.load_dataset("fashion_mnist")
    for name in arguments.conditions:
        table = run(CONDITIONS[name], data, arguments.seeds, arguments.device)
        arguments.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(arguments.out / f"{name}.csv", index=False, float_format="%.6g")
        print(name)
        print(table.drop(columns=["seed"]).agg(["mean", "std"]).round(4).T.to_string(), flush=True)


if __name__ == "__main__":
    main()
