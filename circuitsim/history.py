"""What a run left behind: a tidy table, one number per row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from circuitsim.files import write_atomically

COLUMNS = ("step", "epoch", "replica", "split", "metric", "site", "value")


@dataclass(repr=False)
class History:
    """Numbers measured during a run, in long (tidy) form.

    Each row is one number: at which `step` and `epoch` (epochs done, may be fractional), for which
    `replica`, on which data `split` ("online", "train", "validation", "test", or "probe"), which `metric`
    ("loss", "accuracy", ...), at which `site` of the circuit (a projection's name, or ""), its `value`.

    Attributes:
        rows: the numbers, as tuples in the order of the columns; `to_pandas` makes a table of them.
        records: what probes returned that is not a number per replica: name -> list of (step, value).
        runaways: one mapping (replica, step, projection, reason) per replica that ran away.
        interrupted: whether the run was stopped by Ctrl-C.
        varied: what differs from replica to replica, path -> a value for each; a column each in the table.
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
            step, epoch: when it was measured.
            split: of the data.
            metric: what was measured.
            values: shape ``[replica]``.
            site: of the circuit, such as a projection's name.
        """
        for replica, value in enumerate(np.atleast_1d(np.asarray(values, dtype=float))):
            self.rows.append((step, epoch, replica, split, metric, site, float(value)))

    def record(self, name: str, step: int, value: Any) -> None:
        """Keep something that is not a number per replica, such as a copy of weights.

        Args:
            name: of the record.
            step: when it was measured.
            value: anything.
        """
        self.records.setdefault(name, []).append((step, value))

    def to_pandas(self) -> pd.DataFrame:
        """The whole table.

        Returns:
            Columns step, epoch, replica, split, metric, site, value, and one for all that varies ("W0.eta", ...); a row
            for each number.
        """
        table = pd.DataFrame(self.rows, columns=list(COLUMNS))
        return table.assign(**{path: np.asarray(v)[table.replica.astype(int)] for path, v in self.varied.items()})

    def curve(self, metric: str, split: str | None = None, site: str | None = None) -> pd.DataFrame:
        """One metric over time.

        Args:
            metric: such as "accuracy".
            split: of the data; None for all.
            site: of the circuit; None for all.
        Returns:
            Index epoch, one column per replica.
        Raises:
            KeyError: nothing of that name was measured.
        """
        table = self.to_pandas()
        chosen = table[table.metric == metric]
        chosen = chosen if split is None else chosen[chosen.split == split]
        chosen = chosen if site is None else chosen[chosen.site == site]
        if chosen.empty:
            known = sorted(set(table.metric))
            raise KeyError(f"no metric {metric!r} with split={split!r}, site={site!r} in this history (known: {known})")
        # a replica, or an epoch, that is NaN throughout keeps its place
        return chosen.pivot_table(index="epoch", columns="replica", values="value", aggfunc="last", dropna=False)

    def final(self, metric: str, split: str | None = None, site: str | None = None) -> np.ndarray:
        """The last value of one metric.

        Args:
            metric, split, site: as in `curve`.
        Returns:
            Shape ``[replica]``.
        Raises:
            KeyError: nothing of that name was measured.
        """
        return self.curve(metric, split, site).iloc[-1].to_numpy()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as CSV, whole or not at all; folders are made as needed.

        Args:
            path: of the file.
        Returns:
            The path.
        Raises:
            ArchiveError: the file cannot be written; one that was there before is untouched.
        """
        path = Path(path)
        write_atomically(path, self.to_pandas().to_csv(index=False).encode())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read a table written by `save`.

        Args:
            path: of the file.
        Returns:
            A history with those rows; records and runaways are not in the table.
        """
        table = pd.read_csv(path, keep_default_na=False, na_values={"value": ["", "nan"]})
        by_replica = table.drop_duplicates("replica").sort_values("replica")
        varied = {str(path): tuple(by_replica[path]) for path in table.columns if path not in COLUMNS}
        return cls(rows=list(table[list(COLUMNS)].itertuples(index=False, name=None)), varied=varied)

    def mark_runaway(self, report: Mapping[str, Any]) -> None:
        """Note a replica that ran away and was frozen at its last good state.

        Args:
            report: replica, step, projection, reason.
        """
        self.runaways.append(dict(report))
