"""A search for the rates of one algorithm with Optuna, whose trials run together as the replicas of one circuit."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

import circuitsim as cs
from support.algorithms import ALGORITHMS, Algorithm, Space
from support.setup import Setup
from support.together import compile_together

TOGETHER = 8  # trials that run as the replicas of one circuit
# A trial learns for a sixteenth of the epochs, then for a quarter, then for all of them, each time from a fresh start.
# At each rung, only about the best quarter of the trials continues.
REDUCTION, RUNGS = 4, 3
# A default should be robust to other conditions than those of the search. The stress test multiplies every eta by this
# factor and holds it constant, for fewer epochs, so that the sum of eta equals that of a full run at the given rates.
STRESS = 1.5
LOCKED = 5  # seconds until the lock of a killed search is removed; writing a line takes milliseconds
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def study_of(name: str, setup: Setup, sampler: str = "tpe", schedule: str | None = "cosine") -> optuna.Study:
    """Open an algorithm's study in the run folder's journal. Other epochs, data or schedules have their own."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = str(setup.out / "journal.log")
    lock = JournalFileSymlinkLock(journal, grace_period=LOCKED)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(journal, lock)),
        study_name=f"{name}, {setup.dataset}, {setup.epochs} epochs, {sampler}" + ("" if schedule else ", constant"),
        direction="minimize" if setup.metric == "loss" else "maximize",
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION),
        load_if_exists=True,
    )


def search(
    name: str, setup: Setup, n_trials: int, sampler: str, algorithm: Algorithm | None = None,
    schedule: str | None = "cosine",
) -> optuna.Study:  # fmt: skip
    """Ask for trials, run `TOGETHER` of them at a time, and report their results, until `n_trials` are finished.

    Args:
        name: the name of the study, and of the algorithm in `ALGORITHMS` unless `algorithm` is given.
        setup: data, sizes, the epochs of a final run, and the run folder.
        n_trials: the number of trials.
        sampler: a name in `SAMPLERS`.
        algorithm: the algorithm.
        schedule: as in `circuitsim.fit`.
    Returns:
        The study.
    """
    algorithm, study = algorithm or ALGORITHMS[name], study_of(name, setup, sampler, schedule)
    for left in study.get_trials(states=[TrialState.RUNNING]):  # interrupted when a search was killed
        study.enqueue_trial(left.params)
        study.tell(left.number, state=TrialState.FAIL)
    while (n_finished := len(study.get_trials(states=FINISHED))) < n_trials:
        # seed by the number of finished trials, so that a resumed search does not repeat earlier draws
        study.sampler = SAMPLERS[sampler](seed=n_finished)
        trials = [study.ask() for _ in range(min(TOGETHER, n_trials - n_finished))]
        for trial in trials:
            suggest(trial, algorithm.space)
        learn_and_tell(study, trials, algorithm, setup, schedule)
    return study


def suggest(trial: Trial, space: Space) -> None:
    """Let the sampler choose the trial's settings."""
    for setting, (low, high) in space.items():
        trial.suggest_float(setting, low, high, log=True)


def settings_of(trial: Trial | FrozenTrial) -> dict[str, float]:
    """A trial's settings, rounded to two significant digits for reporting."""
    return {name: float(f"{value:.2g}") for name, value in trial.params.items()}


def learn_and_tell(
    study: optuna.Study, trials: Sequence[Trial], algorithm: Algorithm, setup: Setup, schedule: str | None
) -> None:
    """Train trials as the replicas of one circuit, rung by rung, and report each result to the study."""
    for rung in range(RUNGS):
        is_last = rung == RUNGS - 1
        if is_last and algorithm.stable:
            stressed = scores(trials, algorithm, setup, max(1, round(setup.epochs / STRESS)), None, STRESS)
            survived = np.isfinite(stressed)
            trials = _without_lost(study, trials, survived)
        epochs = max(1, round(setup.epochs * REDUCTION ** (rung + 1 - RUNGS)))
        found = scores(trials, algorithm, setup, epochs, schedule)
        trials = _without_lost(study, trials, np.isfinite(found))
        for trial, score in zip(trials, found[np.isfinite(found)], strict=True):
            trial.report(score, REDUCTION**rung)
            if is_last:
                study.tell(trial, score)
        if is_last:
            return
        pruned = np.array([trial.should_prune() for trial in trials], dtype=bool)
        for trial, is_pruned in zip(trials, pruned, strict=True):
            if is_pruned:
                study.tell(trial, state=TrialState.PRUNED)
        trials = [trial for trial, is_pruned in zip(trials, pruned, strict=True) if not is_pruned]


def _without_lost(study: optuna.Study, trials: Sequence[Trial], survived: np.ndarray) -> list[Trial]:
    """Mark the trials that ran away as pruned, and return the others."""
    for trial, good in zip(trials, survived, strict=True):
        if not good:
            trial.set_user_attr("ran away", True)
            study.tell(trial, state=TrialState.PRUNED)
    return [trial for trial, good in zip(trials, survived, strict=True) if good]


def scores(
    trials: Sequence[Trial], algorithm: Algorithm, setup: Setup, epochs: int, schedule: str | None, stress: float = 1.0
) -> np.ndarray:
    """The validation metric of each trial after learning from a fresh start; NaN for those that ran away.

    Args:
        trials: the trials, which run as replicas of one circuit with settings of their own.
        algorithm, setup: the algorithm, and the data, sizes and device.
        epochs, schedule: as in `circuitsim.fit`.
        stress: a factor on every eta.
    """
    if not trials:
        return np.empty(0)
    for trial in trials:
        trial.set_user_attr("epochs", trial.user_attrs.get("epochs", 0) + epochs)
    make = functools.partial(algorithm.make, setup.layers, loss=setup.loss)
    settings = [settings_of(trial) for trial in trials]
    if stress != 1.0:
        settings = [{**chosen, "eta": stress * chosen["eta"]} for chosen in settings]
    circuit = compile_together([make(**chosen) for chosen in settings], seed=0, device=setup.device)
    try:
        history = cs.fit(
            circuit, setup.data, epochs=epochs, batch_size=setup.batch_size, evaluate_every=0,
            schedule=schedule, progress=False,
        )  # fmt: skip
    except cs.SimulationDiverged:
        return np.full(len(trials), np.nan)
    return history.final(setup.metric, "validation").astype(float)


def best(study: optuna.Study, space: Space) -> dict[str, float]:
    """The settings of the best trial; empty if all trials ran away."""
    if not study.get_trials(states=[TrialState.COMPLETE]):
        return {}
    found = settings_of(study.best_trial)
    return {name: found[name] for name in space}
