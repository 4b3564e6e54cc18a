"""The same budget of random search for every algorithm: where the rates of `benchmark_table` come from."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

import motifs
from circuitsim.errors import DataError
from circuitsim.motif import Motif
from circuitsim.studies.controls import frozen_feedback
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.scheduler import scheduler
from circuitsim.studies.search import LogUniform, Rung, Space, random_search
from circuitsim.studies.task import Task
from circuitsim.studies.trained import bench, loss_of, metric_of

# 32 random settings for a few epochs, the best 8 of them for longer, the best 3 for as long as the final runs.
FULL = {"trials": 32, "then": 8, "last": 3}
QUICK = {"trials": 4, "then": 2, "last": 1}
SHARES = (1 / 15, 1 / 5, 1.0)  # of the final run's epochs, rung by rung
# A default must leave room for what it was not chosen with. Under stress every eta is so many times as large, and
# constant, for so many epochs that the sum of eta is that of all epochs at the rates as they are.
STRESS = 1.5

ETA, GAMMA = LogUniform(0.03, 0.6), LogUniform(1e-6, 1e-3)
SLOW = LogUniform(0.01, 0.6)  # random feedback likes small rates: its best ones lay at the lower end of ETA
GAIN = LogUniform(0.1, 2.0)
SAL: Space = {
    "eta": ETA,
    "gamma": LogUniform(3e-5, 1e-3),
    "eta_V": LogUniform(0.2, 2.0),
    "eta_Wt": LogUniform(0.1, 2.0),
    "gamma_Wt": LogUniform(1, 20),
    "gain_V": LogUniform(0.02, 0.3),
}


@dataclass(frozen=True)
class Algorithm:
    """A row of the table of algorithms.

    Args:
        label: in tables.
        make: takes layers and settings.
        space: the settings that are its own to tune.
        stable: whether a setting must also survive STRESS.
    """

    label: str
    make: Callable[..., Motif]
    space: Space
    stable: bool = False


ALGORITHMS: dict[str, Algorithm] = {
    "backprop": Algorithm("SGD", motifs.backprop, {"eta": ETA, "gamma": GAMMA}),
    "kolen_pollack": Algorithm("Kolen-Pollack", motifs.kolen_pollack, {"eta": ETA, "gamma": GAMMA, "gain_Wt": GAIN}),
    "weight_mirror": Algorithm(
        "weight mirror",
        motifs.weight_mirror,
        {"eta": ETA, "gamma": GAMMA, "eta_mirror": LogUniform(0.003, 0.3), "gamma_mirror": LogUniform(0.2, 1.0)},
    ),
    "direct_kolen_pollack": Algorithm(
        "direct Kolen-Pollack",
        motifs.direct_kolen_pollack,
        {"eta": ETA, "gamma": GAMMA, "eta_V": LogUniform(0.1, 2.0), "gain_V": LogUniform(0.02, 1.0)},
    ),
    "direct_feedback_alignment": Algorithm(
        "direct feedback alignment",
        motifs.direct_feedback_alignment,
        {"eta": SLOW, "gamma": GAMMA, "gain_V": LogUniform(0.01, 1.0)},
    ),
    "feedback_alignment": Algorithm(
        "feedback alignment", motifs.feedback_alignment, {"eta": SLOW, "gamma": GAMMA, "gain_Wt": GAIN}
    ),
    "sal": Algorithm("SAL (gated)", motifs.sal, SAL),
    "sal_stable": Algorithm("SAL (gated), stable: the motif's defaults", motifs.sal, SAL, stable=True),
    "sal_ungated": Algorithm("SAL (ungated)", functools.partial(motifs.sal, gated=False, name="sal_ungated"), SAL),
    "backprop_unmasked": Algorithm(
        "SGD without masks",
        functools.partial(motifs.backprop, masks=False, name="backprop_unmasked"),
        {"eta": ETA, "gamma": GAMMA},
    ),
    "apical_sal": Algorithm("apical SAL", motifs.apical_sal, {**SAL, "gain_V": LogUniform(0.05, 1.5)}),
    "apical_mirror": Algorithm(
        "apical SAL, V mirrors Vt",
        functools.partial(motifs.apical_sal, pathway="mirror", name="apical_mirror"),
        {"eta": ETA, "gamma": GAMMA, "eta_Wt": LogUniform(0.1, 2.0), "gamma_Wt": LogUniform(0.3, 10), "gain_Wt": GAIN},
    ),
    "sal_frozen": Algorithm(
        "SAL, feedback frozen at random",
        lambda layers, **settings: frozen_feedback(motifs.sal(layers, **settings)),
        {"eta": ETA, "gamma": GAMMA, "gain_V": LogUniform(0.05, 2.0), "gain_Wt": LogUniform(0.3, 2.0)},
    ),
}


def tune(options: Options, algorithms: Sequence[str] = tuple(ALGORITHMS)) -> Report:
    """Random search over each algorithm's own rates, with the same budget for all, judged on the validation split.

    32 random settings of each algorithm run for a fifteenth of the epochs, the best 8 for a fifth, the best 3 for
    all of them, from fresh starts each time, as replicas of one circuit, under a cosine schedule. The best of the
    last three is taken. A setting that runs away has lost. The test split is not looked at.

    Where an algorithm is to be `stable`, the best 8 also run for two thirds of the epochs with every eta constant and
    1.5 times as large, and only those that do not run away there go on.

    Every finished group of trials is kept in the run folder, and not run again when the same search goes on there;
    with `options.scheduler` the groups run on Dask workers. All trials go to ``trials.csv`` there, the best settings
    to ``settings.json``. `circuitsim/studies/tuned` holds the settings that were found for the package, by data set.
    """
    on = bench(options)
    if on.data.validation is None:
        raise DataError(f"data set {on.data.name!r}: settings are chosen on a validation split, and it has none")
    budget = QUICK if options.quick else FULL
    options.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, pd.DataFrame] = {}

    def save(name: str, table: pd.DataFrame) -> None:
        found[name] = table
        _joined(found).to_csv(options.out / "trials.csv", index=False)

    chosen = {name: _known(name) for name in algorithms}
    with scheduler(options.scheduler, keep=options.out / "groups") as run:
        for name, algorithm in chosen.items():
            make = functools.partial(algorithm.make, on.layers, loss=loss_of(on))
            random_search(
                make, algorithm.space, on.data,
                rungs=rungs(on.setting.epochs, budget, algorithm.stable),
                metric=metric_of(on), fit_options={"batch_size": on.setting.batch_size},
                compile_options={"device": on.device}, done=functools.partial(save, name), run=run,
            )  # fmt: skip
    settings = {name: best(table, ALGORITHMS[name].space, metric_of(on)) for name, table in found.items()}
    (options.out / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
    rows = [_row(name, table, settings[name], metric_of(on)) for name, table in found.items()]
    title = f"Random search on {on.data.name}: {budget['trials']} settings of each algorithm"
    return Report(title, pd.DataFrame(rows), _notes(on, budget), configuration=on.configuration)


def rungs(epochs: int, budget: Mapping[str, int], stable: bool = False) -> list[Rung]:
    """What `tune` does, round by round.

    Args:
        epochs: of the final run.
        budget: FULL or QUICK.
        stable: whether there is a round under STRESS before the last.
    """
    plain = [Rung(keep, max(1, round(share * epochs))) for keep, share in zip(budget.values(), SHARES, strict=True)]
    stressed = Rung(budget["then"], max(1, round(epochs / STRESS)), stress=STRESS)
    return [*plain[:-1], stressed, plain[-1]] if stable else plain


def best(table: pd.DataFrame, space: Mapping[str, Any], metric: str = "accuracy") -> dict[str, float]:
    """The setting with the best mean score in the last rung; empty where every one ran away there."""
    last = table[table.rung == table.rung.max()]
    scores = last.groupby("trial").validation.mean(skipna=False).dropna()
    if scores.empty:
        return {}
    trial = scores.idxmin() if metric == "loss" else scores.idxmax()
    row = last[last.trial == trial].iloc[0]
    return {name: float(row[name]) for name in space}


def _known(name: str) -> Algorithm:
    if name not in ALGORITHMS:
        raise DataError(f"tune: no algorithm {name!r} (known: {', '.join(ALGORITHMS)})")
    return ALGORITHMS[name]


def _joined(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All trials in one table; a setting that an algorithm does not have is empty."""
    fixed = ["algorithm", "rung", "trial", "seed", "epochs", "validation", "runaway"]
    table = pd.concat([table.assign(algorithm=name) for name, table in found.items()], ignore_index=True)
    return table[fixed + [column for column in table if column not in fixed]]


def _row(name: str, table: pd.DataFrame, settings: Mapping[str, float], metric: str) -> dict[str, Any]:
    first, last = table[table.rung == 0], table[table.rung == table.rung.max()]
    score = last.validation.min() if metric == "loss" else last.validation.max()
    return {
        "algorithm": ALGORITHMS[name].label,
        "settings tried": first.trial.nunique(),
        "ran away": int(first.runaway.sum()),
        "best setting": ", ".join(f"{key} {value:g}" for key, value in settings.items()) or "every one ran away",
        "validation": f"{score:.4f}" if score == score else "-",
    }


def _notes(on: Task, budget: Mapping[str, int]) -> str:
    steps = ", ".join(f"{rung.keep} settings for {rung.epochs} epochs" for rung in rungs(on.setting.epochs, budget))
    return (
        f"Rung by rung: {steps}; the best go on, from fresh starts. Score: validation {metric_of(on)} at the end of a "
        "cosine schedule, seed 0. `ran away`: of the first rung. What is to be stable must also survive "
        f"{round(on.setting.epochs / STRESS)} epochs with every eta constant and {STRESS:g} times as large."
    )
