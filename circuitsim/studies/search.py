"""Random search with halving: the same procedure and budget for every algorithm, judged on the validation split."""

from __future__ import annotations

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
    """One round of the search: the best so far, for so many epochs, each with these seeds."""

    keep: int
    epochs: int
    seeds: tuple[int, ...] = (0,)


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
) -> pd.DataFrame:
    """Try random settings; the best of each rung go on to the next, from fresh starts.

    Args:
        make_motif: takes the settings as keyword arguments.
        space: what to draw.
        data: has a validation split.
        rungs: the first one's `keep` is the number of trials.
        metric: what is judged on the validation split; more is better, but for "loss".
        search_seed: of the settings.
        group: trials that run together, as replicas of one circuit.
        fit_options, compile_options: passed on.
        done: called with the table so far after every group, to save it.
    Returns:
        One row per trial, rung and seed: the settings, "rung", "epochs", "seed", "validation" (the metric at the
        end; NaN where the trial ran away), "runaway" (bool).
    """
    rng = np.random.default_rng(search_seed)
    trials = [{name: part.draw(rng) for name, part in space.items()} for _ in range(rungs[0].keep)]
    chosen = list(range(len(trials)))
    rows: list[dict[str, Any]] = []
    for number, rung in enumerate(rungs):
        chosen = chosen[: rung.keep]
        for seed in rung.seeds:
            for start in range(0, len(chosen), group):
                part = chosen[start : start + group]
                circuits = [make_motif(**trials[k]) for k in part]
                found = scores(circuits, data, rung.epochs, seed, metric, fit_options, compile_options)
                rows += [
                    {"trial": k, **trials[k], "rung": number, "epochs": rung.epochs, "seed": seed, "validation": score,
                     "runaway": bool(np.isnan(score))}
                    for k, score in zip(part, found, strict=True)
                ]  # fmt: skip
                done(pd.DataFrame(rows))
        table = pd.DataFrame(rows)
        means = table[table.rung == number].groupby("trial").validation.mean(skipna=False)
        chosen = list(means.sort_values(ascending=metric == "loss", na_position="last").index)
    return pd.DataFrame(rows)


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
