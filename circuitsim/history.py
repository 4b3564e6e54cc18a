"""The history of a run, as a tidy table with one number per row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitsim.errors import ArchiveError, ParameterError
from circuitsim.files import as_path, read_bytes, write_atomically

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("step", "epoch", "replica", "split", "metric", "site", "value")
TEXTS = ("split", "metric", "site")
NUMBERS = {"step": int, "epoch": float, "replica": int, "value": float}


@dataclass(repr=False)
class History:
    """Numbers measured during a run, in long (tidy) form.

    Each row holds one number (`value`) with its `step` and `epoch` (the number of completed epochs, which may be
    fractional), the `replica`, the `split` of the data ("online", "train", "validation", "test", or "probe"), the
    `metric` ("loss", "accuracy", ...), and the `site` in the circuit (a projection's name, or "").

    A replica that ran away stays at its last good state and has learned no more than until then. Tables mark all of its
    rows in the column `runaway`, and `curve` and `final` return NaN for it, so that no mean over replicas includes it
    unnoticed.

    Attributes:
        rows: the rows, as tuples in the order of the columns; `to_pandas` converts them to a table.
        records: maps names to lists of (step, value), for results of probes that are not numbers per replica.
        runaways: one mapping (replica, step, projection, reason) for each replica that diverged.
        interrupted: whether Ctrl-C stopped the run.
        varied: maps the paths of parameters that differ between replicas to their values, one per replica; each
            becomes a column of the table.
    Example:
        >>> import circuitsim as cs
        >>> history = cs.History()
        >>> history.add(step=10, epoch=1.0, split="test", metric="accuracy", values=[0.9, 0.8])
        >>> history.final("accuracy").tolist()
        [0.9, 0.8]
    """

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    records: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    runaways: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    varied: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __repr__(self) -> str:
        table = self.to_pandas()
        metrics = sorted({f"{split} {metric}" for split, metric in zip(table.split, table.metric, strict=True)})
        state = ", interrupted" if self.interrupted else ""
        return f"History({len(table)} rows: {', '.join(metrics)}; {len(self.runaways)} runaways{state})"

    def add(self, *, step: int, epoch: float, split: str, metric: str, values: Iterable[float], site: str = "") -> None:
        """Append one row per replica.

        Args:
            step, epoch: the time of the measurement.
            split: the split of the data.
            metric: the name of the metric.
            values: the values, of shape ``[replica]``.
            site: the site in the circuit, such as a projection's name.
        Raises:
            ParameterError: the values are not numbers ``[replica]``.
        """
        try:
            numbers = np.atleast_1d(np.asarray(values, dtype=float))
        except (TypeError, ValueError):
            numbers = np.empty((0, 0))
        if numbers.ndim != 1:
            raise ParameterError(f"history: values of {metric!r} must be numbers [replica] (got {values!r})")
        for replica, value in enumerate(numbers):
            self.rows.append((step, epoch, replica, split, metric, site, float(value)))

    def record(self, name: str, step: int, value: Any) -> None:
        """Add a value that is not a number per replica, such as a copy of weights.

        Args:
            name: the name of the record.
            step: the step of the measurement.
            value: any object.
        """
        self.records.setdefault(name, []).append((step, value))

    def to_pandas(self) -> pd.DataFrame:
        """Convert the history to a table.

        Returns:
            A table with the columns step, epoch, replica, split, metric, site, value and runaway (whether the replica
            ran away at any time in the run), and one more column for each varied parameter ("W0.eta", ...).
        """
        import pandas as pd  # late: it takes half a second to import

        table = pd.DataFrame(self.rows, columns=list(COLUMNS)).astype(NUMBERS)  # also of no rows
        varied = {path: np.asarray(v)[table.replica] for path, v in self.varied.items()}
        return table.assign(runaway=table.replica.isin(self.ran_away), **varied)

    @property
    def ran_away(self) -> list[int]:
        """The replicas that ran away, in order."""
        return sorted({int(report["replica"]) for report in self.runaways})

    def curve(self, metric: str, split: str | None = None, site: str | None = None) -> pd.DataFrame:
        """Return one metric as a function of time.

        Args:
            metric: the name of the metric, such as "accuracy".
            split: the split of the data; None if the metric was measured on one only.
            site: the site in the circuit; None if the metric was measured at one only.
        Returns:
            A table with the epochs as index and one column per replica, which is NaN for replicas that ran away.
        Raises:
            ParameterError: there is no such measurement, or there are several.
        """
        table = self.to_pandas()
        chosen = table[table.metric == metric]
        chosen = chosen if split is None else chosen[chosen.split == split]
        chosen = chosen if site is None else chosen[chosen.site == site]
        if chosen.empty:
            raise ParameterError(f"history: {self._missing(table, metric, split, site)}")
        for column in ("split", "site"):
            if len(several := sorted(set(chosen[column]))) > 1:
                raise ParameterError(
                    f"history: {metric!r} was measured at {column}s {several}: choose one, {column}=..."
                )
        # dropna=False keeps replicas and epochs whose values are all NaN
        chosen = chosen.assign(value=chosen.value.mask(chosen.runaway))
        return chosen.pivot_table(index="epoch", columns="replica", values="value", aggfunc="last", dropna=False)

    @staticmethod
    def _missing(table: pd.DataFrame, metric: str, split: str | None, site: str | None) -> str:
        """Describe the missing measurement, and list the existing ones."""
        measured = table[table.metric == metric]
        if measured.empty:
            return f"there is no metric {metric!r} (known: {sorted(set(table.metric))})"
        known = f"splits {sorted(set(measured.split))}, sites {sorted(set(measured.site))}"
        return f"there is no {metric!r} with split={split!r}, site={site!r} (known: {known})"

    def final(self, metric: str, split: str | None = None, site: str | None = None) -> np.ndarray:
        """Return the last value of one metric.

        Args:
            metric, split, site: as in `curve`.
        Returns:
            The values, of shape ``[replica]``; NaN for replicas that ran away.
        Raises:
            ParameterError: there is no such measurement.
        """
        return self.curve(metric, split, site).iloc[-1].to_numpy()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to a CSV file atomically, creating missing folders.

        Args:
            path: the path of the file.
        Returns:
            The path.
        Raises:
            ArchiveError: the file cannot be written; an existing file has not been changed.
        """
        path = as_path(path)
        write_atomically(path, self.to_pandas().to_csv(index=False).encode())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read a table written by `save`.

        Args:
            path: the path of the file.
        Returns:
            A history with the rows of the table, which does not contain records. It has a report for each replica that
            ran away, without the step and the reason. Of a replica without rows, nothing is known.
        Raises:
            ArchiveError: the file is missing, or does not hold such a table; the message names the column.
        """
        path = as_path(path)
        table = read_table(path)
        others = [column for column in table.columns if column not in (*COLUMNS, "runaway")]
        for column in others:
            _check_column(path, table, column)
        replicas = sorted(set(table.replica))
        if others and replicas != list(range(len(replicas))):
            raise ArchiveError(f"{path}: not the table of a history (replicas must count from 0, got {replicas[:9]})")
        by_replica = table.drop_duplicates("replica").sort_values("replica")
        varied = {str(column): tuple(by_replica[column]) for column in others}
        ran_away = by_replica.runaway if "runaway" in table else np.zeros(len(by_replica), bool)  # an older file
        lost = by_replica.replica[ran_away].tolist()
        runaways = [{"replica": r, "step": None, "projection": None, "reason": "not in the table"} for r in lost]
        rows = list(table[list(COLUMNS)].itertuples(index=False, name=None))
        return cls(rows=rows, runaways=runaways, varied=varied)

    def mark_runaway(self, report: Mapping[str, Any]) -> None:
        """Record that a replica diverged and was pinned to its last good state.

        Args:
            report: a mapping with replica, step, projection and reason.
        """
        self.runaways.append(dict(report))


def read_table(path: Path) -> pd.DataFrame:
    """Read the table of a history from a CSV file; it may have more columns."""
    import pandas as pd

    try:
        table = pd.read_csv(BytesIO(read_bytes(path)), keep_default_na=False, na_values={"value": ["", "nan"]})
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path}: not the table of a history ({error})") from None
    if missing := [column for column in COLUMNS if column not in table]:
        raise ArchiveError(f"{path}: not the table of a history (column {missing[0]!r} is missing)")
    for column in table.columns.intersection([*COLUMNS, "runaway"]).difference(list(TEXTS)):
        _check_column(path, table, column)
    return table


def _check_column(path: Path, table: pd.DataFrame, column: str) -> None:
    others = {"runaway": ("b", "True or False"), "replica": ("iu", "whole numbers")}
    kinds, content = others.get(column, ("iuf", "numbers"))
    if len(table) and table[column].dtype.kind not in kinds:
        raise ArchiveError(f"{path}: not the table of a history (column {column!r} must hold {content})")
