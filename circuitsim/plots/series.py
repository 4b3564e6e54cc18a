"""The curve of one run: taken from a history's table, and drawn as a line with a band."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from circuitsim.errors import ParameterError
from circuitsim.history import History
from circuitsim.plots.style import run_style

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One quantity of one run: epochs ``[time]`` and values ``[time, replica]``, NaN where they are not defined."""

    epochs: Array
    values: Array

    @property
    def mean(self) -> Array:
        """The mean over the replicas that have a finite value, shape ``[time]``; NaN if none has."""
        return self._finite().mean(axis=1).to_numpy()

    @property
    def spread(self) -> Array:
        """The sample standard deviation over replicas (n - 1), shape ``[time]``; 0 for a single replica."""
        return self._finite().std(axis=1).fillna(0.0).to_numpy()

    def _finite(self) -> pd.DataFrame:
        return pd.DataFrame(self.values).where(np.isfinite(self.values))


def band(axes: Axes, run: Series, label: str, k: int) -> None:
    """Draw run number `k`, which determines its colour and line style: a line for the mean over replicas, and if there
    are several, a band of one standard deviation on either side. Where no replica has a value, there is a gap.

    Artists have gids "line:label" and "band:label".
    """
    colour, line = run_style(k)
    mean, spread = run.mean, run.spread
    if run.values.shape[1] > 1:
        axes.fill_between(
            run.epochs, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0, gid=f"band:{label}"
        )
    axes.plot(
        run.epochs, mean, color=colour, linestyle=line, linewidth=2.4, marker="o", markevery=_alone(mean), label=label,
        gid=f"line:{label}",
    )  # fmt: skip


def _alone(values: Array) -> list[int]:
    """The places of finite values without a finite neighbour, which a line cannot show."""
    there = np.concatenate([[False], np.isfinite(values), [False]])
    return np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:]).tolist()


def check_runs(runs: Mapping[str, History]) -> None:
    """Raise a ParameterError if `runs` is empty or a run is not a History."""
    if not runs:
        raise ParameterError("runs is empty; it maps labels to histories, such as {'SAL': cs.fit(...)}")
    for name, history in runs.items():
        if not isinstance(history, History):
            raise ParameterError(f"runs[{name!r}] must be a History (got {type(history).__name__})")


def run_label(label: str, history: History) -> str:
    """The label, with the number of replicas that ran away, since the mean leaves them out."""
    n = len(history.ran_away)
    return f"{label} ({n} ran away, left out)" if n else label


def choose(table: pd.DataFrame, metric: str, split: str | None, site: str | None, owner: str) -> pd.DataFrame:
    """Select the rows of one metric, one split and one site.

    If `split` is None and there are several, "validation" is selected. If there are several sites, one must be named.
    """
    rows = _pick(table, "metric", metric, owner)
    splits = set(rows["split"])
    if split is None and len(splits) > 1:
        split = "validation" if "validation" in splits else None
    rows = _pick(rows, "split", split, f"{owner}: metric {metric!r}")
    return _pick(rows, "site", site, f"{owner}: metric {metric!r}")


def _pick(rows: pd.DataFrame, column: str, wanted: str | None, owner: str) -> pd.DataFrame:
    known = natural(set(rows[column]))
    if wanted is None and len(known) == 1:
        return rows
    if wanted is None:
        raise ParameterError(f"{owner} has several {column}s; name one of {known}")
    if wanted not in known:
        raise ParameterError(f"{owner} has no {column} {wanted!r} (known: {known})")
    return rows[rows[column] == wanted]


def series(rows: pd.DataFrame) -> Series:
    """The rows of a history's table as a curve. The last of several values at one epoch and replica counts. Replicas
    that ran away have none."""
    unique = _without_runaways(rows).drop_duplicates(["epoch", "replica"], keep="last")
    wide = unique.pivot(index="epoch", columns="replica", values="value").sort_index()
    return Series(wide.index.to_numpy(dtype=float), wide.to_numpy(dtype=float))


def mean_over_sites(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over the sites whose value is defined, for each epoch and replica."""
    unique = _without_runaways(rows).drop_duplicates(["epoch", "replica", "site"], keep="last")
    return unique.groupby(["epoch", "replica"])["value"].mean().reset_index()


def _without_runaways(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, without the values of replicas that ran away, which stay at their last good state."""
    if "runaway" not in rows:  # from a file of an earlier version
        return rows
    return rows.assign(value=rows["value"].mask(rows["runaway"].astype(bool)))


def n_runaways(rows: pd.DataFrame) -> int:
    return int(rows.loc[rows["runaway"].astype(bool), "replica"].nunique()) if "runaway" in rows else 0


def natural(names: Sequence[str] | set[str]) -> list[str]:
    """The names in natural order, in which W10 comes after W2."""
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
