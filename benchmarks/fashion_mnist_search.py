"""Choose the rates of the control with frozen feedback on Fashion-MNIST's validation split.

    python benchmarks/fashion_mnist_search.py --out docs/results

784-200-200-200-10, batch 256, cosine schedule: 32 random settings for 6 epochs, the best 8 for 20 epochs, the best 3 of
these for 20 epochs from two more seeds. All other rates come from `circuitsim tune`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import circuitsim as cs
from circuitsim.studies.controls import frozen_feedback
from circuitsim.studies.search import LogUniform, Rung, random_search
from motifs import sal

LAYERS = [784, 200, 200, 200, 10]
RUNGS = [Rung(32, 6), Rung(8, 20), Rung(3, 20, seeds=(1, 2))]
SPACE = {
    "eta": LogUniform(0.03, 0.6),
    "gamma": LogUniform(3e-5, 1e-3),
    "gain_V": LogUniform(0.05, 2),
    "gain_Wt": LogUniform(0.3, 2),
}


def frozen(**settings: Any) -> cs.Motif:
    """The control."""
    return frozen_feedback(sal(LAYERS, **settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    path = arguments.out / "search_sal_frozen.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = random_search(
        frozen, SPACE, cs.load_dataset("fashion_mnist"), rungs=RUNGS, compile_options={"device": arguments.device},
        done=lambda table: table.to_csv(path, index=False),
    )  # fmt: skip
    last = table[table.rung == table.rung.max()].groupby("trial").mean(numeric_only=True)
    print(last.sort_values("validation", ascending=False).to_string())


if __name__ == "__main__":
    main()
