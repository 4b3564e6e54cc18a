"""Numbers out of a history's table, as curves over epochs."""

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
        values: shape ``[time, replica]``; NaN where it is not defined.
    """

    epochs: Array
    values: Array

    @property
    def mean(self) -> Array:
        """Over the replicas that have a value, shape ``[time]``; NaN where none has."""
        n = np.isfinite(self.values).sum(axis=1)
        total = np.where(np.isfinite(self.values), self.values, 0.0).sum(axis=1)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    @property
    def spread(self) -> Array:
        """Sample standard deviation over replicas (n - 1), shape ``[time]``; 0 for a single one."""
        finite = np.isfinite(self.values)
        squares = np.where(finite, (self.values - self.mean[:, None]) ** 2, 0.0).sum(axis=1)
        spread: Array = np.sqrt(squares / np.maximum(finite.sum(axis=1) - 1, 1))
        return spread


def choose(table: pd.DataFrame, metric: str, split: str | None, site: str | None, owner: str) -> pd.DataFrame:
    """The rows of one metric, one split and one site.

    Where `split` is None and there are several, "validation" is taken; a site must be named if there are several.

    Raises:
        ParameterError: there is no such metric, split or site, or the choice is open; the message lists what there is.
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
    """The rows of a history's table as a curve; of several values at one epoch and replica, the last."""
    unique = rows.drop_duplicates(["epoch", "replica"], keep="last")
    wide = unique.pivot(index="epoch", columns="replica", values="value").sort_index()
    return Series(wide.index.to_numpy(dtype=float), wide.to_numpy(dtype=float))


def mean_over_sites(rows: pd.DataFrame) -> pd.DataFrame:
    """For each epoch and replica, the mean over the sites whose value is defined."""
    unique = rows.drop_duplicates(["epoch", "replica", "site"], keep="last")
    return unique.groupby(["epoch", "replica"])["value"].mean().reset_index()


def natural(names: Sequence[str] | set[str]) -> list[str]:
    """Sorted so that W10 comes after W2."""
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
