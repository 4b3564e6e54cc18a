"""Random search with halving: the same procedure and budget for every algorithm, judged on the validation split."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from circuitsim.data import Dataset
from circuitsim.engine import Circuit
from circuitsim.errors import SimulationDiverged
from circuitsim.motif import Motif
from circuitsim.studies.batch import compile_together
from circuitsim.studies.digest import data_digest, job_digest
from circuitsim.studies.scheduler import Run, run_here
from circuitsim.train import fit


@dataclass(frozen=True)
class LogUniform:
    """A positive number whose logarithm is uniform between those of `low` and `high`."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """One number, rounded to two digits so that it can be written down."""
        return float(f"{np.exp(rng.uniform(np.log(self.low), np.log(self.high))):.2g}")


Space = Mapping[str, LogUniform]


@dataclass(frozen=True)
class Rung:
    """One round of the search: the best so far, for so many epochs, each with these seeds.

    Args:
        keep, epochs, seeds: how many, how long, which.
        stress: every eta this many times as large, and constant. Such a round does not judge: whoever runs away is
            out, the others go on in the order in which they came.
    """

    keep: int
    epochs: int
    seeds: tuple[int, ...] = (0,)
    stress: float | None = None


def random_search(
    make_motif: Callable[..., Motif],
    space: Space,
    data: Dataset,
    *,
    rungs: Sequence[Rung],
    metric: str = "accuracy",
    search_seed: int = 0,
    group: int = 8,
    fit_options: Mapping[str, Any] | None = None,
    compile_options: Mapping[str, Any] | None = None,
    done: Callable[[pd.DataFrame], None] = lambda table: None,
    run: Run = run_here,
) -> pd.DataFrame:
    """Try random settings; the best of each rung go on to the next, from fresh starts.

    Args:
        make_motif: takes the settings as keyword arguments ("eta" among them, where a rung has `stress`).
        space: what to draw.
        data: has a validation split.
        rungs: the first one's `keep` is the number of trials.
        metric: what is judged on the validation split; more is better, but for "loss".
        search_seed: of the settings.
        group: trials that run together, as replicas of one circuit.
        fit_options, compile_options: passed on.
        done: called with the table so far after every group, to save it.
        run: where groups of trials run, and whether those that have finished are kept; from `scheduler`.
    Returns:
        One row per trial, rung and seed: the settings, "rung", "epochs", "seed", "validation" (the metric at the
        end; NaN where the trial ran away), "runaway" (bool).
    """
    rng = np.random.default_rng(search_seed)
    trials = [{name: part.draw(rng) for name, part in space.items()} for _ in range(rungs[0].keep)]
    chosen = list(range(len(trials)))
    rows: list[dict[str, Any]] = []
    fingerprint = data_digest(data)
    for number, rung in enumerate(rungs):
        groups: dict[str, Group] = {}
        for seed in rung.seeds:
            for start in range(0, min(rung.keep, len(chosen)), group):
                part = tuple(chosen[start : min(start + group, rung.keep)])
                texts = tuple(make_motif(**_stressed(trials[k], rung)).to_json() for k in part)
                options = fit_options if rung.stress is None else {**(fit_options or {}), "schedule": None}
                job = Group(part, texts, rung.epochs, seed, metric, options, compile_options)
                groups[f"rung{number}_seed{seed}_group{start // group}_{job_digest(job, fingerprint)}.json"] = job
        fixed = {"rung": number, "epochs": rung.epochs}
        rows = _rows(rows, groups, trials, fixed, data, run, done)
        table = pd.DataFrame(rows)
        means = table[table.rung == number].groupby("trial").validation.mean(skipna=False)
        if rung.stress is None:
            chosen = list(means.sort_values(ascending=metric == "loss", na_position="last").index)
        else:
            chosen = [k for k in chosen if np.isfinite(means.get(k, np.nan))]
    return pd.DataFrame(rows)


def _stressed(settings: Mapping[str, float], rung: Rung) -> dict[str, float]:
    return dict(settings) if rung.stress is None else {**settings, "eta": rung.stress * settings["eta"]}


@dataclass(frozen=True)
class Group:
    """Trials that run together, as replicas of one circuit; nothing in it but numbers and text, for any machine.

    Args:
        trials: their numbers.
        motifs: as JSON.
        epochs, seed, metric, fit_options, compile_options: as in `scores`.
    """

    trials: tuple[int, ...]
    motifs: tuple[str, ...]
    epochs: int
    seed: int
    metric: str
    fit_options: Mapping[str, Any] | None
    compile_options: Mapping[str, Any] | None


def score_group(group: Group, data: Dataset) -> bytes:
    """The scores of a group, as JSON."""
    motifs = [Motif.from_json(text) for text in group.motifs]
    options = group.metric, group.fit_options, group.compile_options
    return json.dumps(scores(motifs, data, group.epochs, group.seed, *options).tolist()).encode()


def _rows(
    earlier: Sequence[dict[str, Any]],
    groups: Mapping[str, Group],
    trials: Sequence[Mapping[str, float]],
    fixed: Mapping[str, Any],
    data: Dataset,
    run: Run,
    done: Callable[[pd.DataFrame], None],
) -> list[dict[str, Any]]:
    """The earlier rows and those of one rung, in the order of the groups, whichever is finished first."""
    found: dict[str, list[dict[str, Any]]] = {}

    def so_far() -> list[dict[str, Any]]:
        return [*earlier, *(row for name in groups for row in found.get(name, ()))]

    def collect(name: str, result: bytes) -> None:
        same = {**fixed, "seed": groups[name].seed}
        found[name] = [
            {"trial": k, **trials[k], **same, "validation": score, "runaway": bool(np.isnan(score))}
            for k, score in zip(groups[name].trials, json.loads(result), strict=True)
        ]
        done(pd.DataFrame(so_far()))

    run(score_group, groups, data, collect)
    return so_far()


def scores(
    motifs: Sequence[Motif],
    data: Dataset,
    epochs: int,
    seed: int,
    metric: str = "accuracy",
    fit_options: Mapping[str, Any] | None = None,
    compile_options: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """The validation metric of each motif at the end of a run together, NaN for those that ran away."""
    circuit = compile_together(motifs, seed=seed, **(compile_options or {}))
    options = {"schedule": "cosine", "data_seed": seed, **(fit_options or {})}
    return fit_and_score(circuit, data, metric, epochs=epochs, **options)


def fit_and_score(circuit: Circuit, data: Dataset, metric: str = "accuracy", **fit_options: Any) -> np.ndarray:
    """The validation metric of each replica at the end, NaN for those that ran away."""
    try:
        history = fit(circuit, data, **{"progress": False, "evaluate_every": 0, **fit_options})
    except SimulationDiverged:
        return np.full(circuit.n_replicas, np.nan)
    scores = history.final(metric, "validation").astype(float)
    scores[[runaway["replica"] for runaway in history.runaways]] = np.nan
    return scores
