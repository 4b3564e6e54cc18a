"""Curves over epochs, taken from a history's table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from circuitsim.errors import ParameterError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One quantity of one run.

    Args:
        epochs: shape ``[time]``.
        values: shape ``[time, replica]``, NaN where the quantity is not defined.
    """

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
    """The number of replicas that ran away."""
    return int(rows.loc[rows["runaway"].astype(bool), "replica"].nunique()) if "runaway" in rows else 0


def natural(names: Sequence[str] | set[str]) -> list[str]:
    """The names in natural order, in which W10 comes after W2."""
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
