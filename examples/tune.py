"""Search for the rates of each algorithm, with the same budget for all, judged on the validation split.

python examples/tune.py                                   # every algorithm, on digits
python examples/tune.py sal backprop --dataset fashion_mnist --epochs 60
python examples/tune.py --quick
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import optuna
import pandas as pd
import typer
from rich.console import Console

import circuitsim as cs
from circuitsim.files import check_writable
from circuitsim.train.configuration import write_configuration
from circuitsim.train.setting import SETTINGS
from support import Setup, command, datasets
from support.algorithms import ALGORITHMS
from support.search import FINISHED, RUNGS, SAMPLERS, best, search, settings_of, study_of
from support.workers import client

N_TRIALS, QUICK_N_TRIALS = 32, 4
QUICK_EPOCHS = 20


def main(
    algorithms: Annotated[
        list[str] | None, typer.Argument(help=f"any of {', '.join(ALGORITHMS)}; all by default")
    ] = None,
    dataset: command.DatasetOption = "digits",
    folder: command.FolderOption = None,
    epochs: command.EpochsOption = None,
    sampler: Annotated[str, typer.Option(help=f"one of {', '.join(SAMPLERS)}")] = "tpe",
    trials: Annotated[int | None, typer.Option(help=f"number per algorithm; {N_TRIALS} by default")] = None,
    quick: command.QuickOption = False,
    out: command.OutOption = None,
    device: command.DeviceOption = "auto",
    scheduler: command.SchedulerOption = None,
) -> None:
    """Search for each algorithm's rates with Optuna, with the same number of trials, judged on the validation split.

    A trial that runs away is pruned. The test split is not used. If an algorithm must be stable, a trial also has to
    survive larger and constant rates before it may learn for all epochs.

    Every trial is saved in ``journal.log`` in the run folder, and repeating the command continues a search that was
    killed. With a scheduler, each algorithm's search runs on a Dask worker; the run folder must be shared.
    All trials are written to ``trials.csv``, and the best settings to ``settings.json``. examples/support/tuned holds
    the settings that the experiments use, by data set.
    """
    setting = datasets.setting_for(dataset)
    if quick:
        epochs, trials = epochs or (QUICK_EPOCHS if dataset in SETTINGS else 1), trials or QUICK_N_TRIALS
    setup = Setup(
        dataset, setting.hidden, setting.batch_size, epochs or setting.epochs, 1,
        (out or Path("runs") / f"tune_{dataset}").resolve(), quick, device, scheduler, folder=folder,
    )  # fmt: skip
    everyone = [name for name, algorithm in ALGORITHMS.items() if algorithm.space]
    tune(setup, algorithms or everyone, trials or N_TRIALS, sampler)


def tune(setup: Setup, algorithms: Sequence[str], n_trials: int, sampler: str = "tpe") -> pd.DataFrame:
    """Search, write the run folder, and show the best settings.

    Args:
        setup: data, sizes, the epochs of a final run, and the run folder.
        algorithms: names in `ALGORITHMS`.
        n_trials: the number of trials of each algorithm.
        sampler: a name in `SAMPLERS`.
    Returns:
        All trials, as in ``trials.csv``.
    Raises:
        DataError: the data set has no validation split.
        ParameterError: an unknown algorithm or sampler.
    """
    for what, names, known in (("algorithm", algorithms, ALGORITHMS), ("sampler", [sampler], SAMPLERS)):
        for name in names:
            if name not in known:
                raise cs.ParameterError(f"tune: no {what} {name!r} (known: {', '.join(known)})")
    if setup.data.validation is None:
        raise cs.DataError(f"data set {setup.data.name!r}: settings are chosen on a validation split, and it has none")
    check_writable(setup.out)
    if setup.scheduler is None:
        for name in algorithms:
            search(name, setup, n_trials, sampler)
    else:
        with client(setup.scheduler) as dask:
            dask.gather([dask.submit(search, name, setup, n_trials, sampler, pure=False) for name in algorithms])
    studies = {name: study_of(name, setup, sampler) for name in algorithms}
    table = pd.concat([_trials(name, study) for name, study in studies.items()], ignore_index=True)
    table.to_csv(setup.out / "trials.csv", index=False)
    settings = {name: best(study, ALGORITHMS[name].space) for name, study in studies.items()}
    (setup.out / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
    options = setup.configuration | {"trials": n_trials, "sampler": sampler}
    write_configuration({"title": "Search", "options": options}, setup.out)
    rows = [_row(name, table[table.algorithm == name], settings[name], setup.metric) for name in algorithms]
    console = Console(markup=False)
    console.print(command.as_rich_table(pd.DataFrame(rows), f"{setup.data.name}: {n_trials} trials of each algorithm"))
    console.print(f"wrote {setup.out / 'trials.csv'}, {setup.out / 'settings.json'}")
    return table


def _trials(name: str, study: optuna.Study) -> pd.DataFrame:
    """One row per trial: its settings, total epochs, number of finished rungs, and score in the last of them."""
    rows: list[dict[str, Any]] = []
    for trial in study.get_trials(states=FINISHED):
        reported, lost = list(trial.intermediate_values.values()), bool(trial.user_attrs.get("ran away", False))
        last = {"rungs": len(reported), "validation": reported[-1] if reported else np.nan, "runaway": lost}
        fixed = {"algorithm": name, "trial": len(rows), "epochs": trial.user_attrs["epochs"]}
        rows.append({**fixed, **last, **settings_of(trial)})
    return pd.DataFrame(rows)


def _row(name: str, trials: pd.DataFrame, settings: Mapping[str, float], metric: str) -> dict[str, Any]:
    last = trials[trials.rungs == RUNGS].validation
    score = last.min() if metric == "loss" else last.max()
    return {
        "algorithm": ALGORITHMS[name].label,
        "trials": len(trials),
        "epochs": int(trials.epochs.sum()),
        "ran away": f"{int(trials.runaway.sum())} of {len(trials)}",
        "best settings": ", ".join(f"{key} {value:g}" for key, value in settings.items()) or "every one ran away",
        f"validation {metric}": f"{score:.4f}" if score == score else "-",
    }


if __name__ == "__main__":
    command.run(main)
