"""Choose the shipped rates on Fashion-MNIST's validation split: the same random search for every algorithm.

    python benchmarks/fashion_mnist_search.py sal --out docs/results

784-200-200-200-10, batch 256, cosine schedule: 32 random settings for 6 epochs, the best 8 for 20 epochs, the
best 3 of these for 20 epochs from two more seeds.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import circuitsim as cs
from circuitsim.studies.controls import frozen_feedback
from circuitsim.studies.search import LogUniform, Rung, random_search
from motifs import backprop, direct_kolen_pollack, feedback_alignment, kolen_pollack, sal

LAYERS = [784, 200, 200, 200, 10]
RUNGS = [Rung(32, 6), Rung(8, 20), Rung(3, 20, seeds=(1, 2))]
RATE = {"eta": LogUniform(0.03, 0.6)}
SAL = {
    **RATE,
    "eta_V": LogUniform(0.2, 2.0),
    "eta_Wt": LogUniform(0.1, 2.0),
    "gamma": LogUniform(3e-5, 1e-3),
    "gamma_Wt": LogUniform(1, 20),
    "gain_V": LogUniform(0.02, 0.3),
}
ALGORITHMS = {
    "sal": (sal, SAL),
    "sal_homeostatic": (functools.partial(sal, regularizer="homeostatic"), SAL),
    "sal_ungated": (functools.partial(sal, gated=False), SAL),
    "sal_plain_trace": (functools.partial(sal, trace=None), SAL),
    "sal_frozen": (
        lambda *layers, **settings: frozen_feedback(sal(*layers, **settings)),
        {**RATE, "gamma": LogUniform(3e-5, 1e-3), "gain_V": LogUniform(0.05, 2), "gain_Wt": LogUniform(0.3, 2)},
    ),
    "backprop": (backprop, {**RATE, "gamma": LogUniform(1e-6, 1e-3)}),
    "kolen_pollack": (kolen_pollack, {**RATE, "gamma": LogUniform(1e-5, 1e-3), "gain_Wt": LogUniform(0.1, 2)}),
    "direct_kolen_pollack": (
        direct_kolen_pollack,
        {**RATE, "gamma": LogUniform(1e-5, 1e-3), "eta_V": LogUniform(0.1, 2), "gain_V": LogUniform(0.02, 1)},
    ),
    "feedback_alignment": (
        feedback_alignment,
        {**RATE, "gamma": LogUniform(1e-6, 1e-3), "gain_Wt": LogUniform(0.1, 2)},
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithm", choices=ALGORITHMS)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    make, space = ALGORITHMS[arguments.algorithm]
    path = arguments.out / f"search_{arguments.algorithm}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = random_search(
        functools.partial(make, LAYERS), space, cs.load_dataset("fashion_mnist"), rungs=RUNGS,
        compile_options={"device": arguments.device}, done=lambda table: table.to_csv(path, index=False),
    )  # fmt: skip
    last = table[table.rung == table.rung.max()].groupby("trial").mean(numeric_only=True)
    print(last.sort_values("validation", ascending=False).to_string())


if __name__ == "__main__":
    main()
