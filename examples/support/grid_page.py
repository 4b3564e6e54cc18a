"""The grid as a page and as a table: accuracies against SGD, cosines with the gradient, and lost seeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from circuitsim import plots
from support import datasets
from support.grid import FROZEN, SAL, SGD, VARIED, Cell
from support.statistics import mean, mean_and_spread

NAMES = {
    "digits": "digits", "teacher": "teacher", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST",
    datasets.JPEG_COPIES: "CIFAR-10, JPEG copies",
}  # fmt: skip
GOALS = {"digits": 95.5, "fashion_mnist": 87.0, "mnist": 96.5, datasets.JPEG_COPIES: 48.0}  # test accuracy of the base
ACCURACY, AGAINST, FROZEN_AGAINST = "test\naccuracy, %", "minus\nSGD", "frozen\nminus SGD"
COSINES, LOST, SEEDS = "cosine with the gradient,\nhidden layers from input to output", "lost", "seeds"
COLUMNS = (
    plots.HeatColumn(ACCURACY, 0.7),
    plots.HeatColumn(AGAINST, 0.55, (-6.0, 6.0)),
    plots.HeatColumn(FROZEN_AGAINST, 0.65, (-6.0, 6.0)),
    plots.HeatColumn(COSINES, 2.5, (0.2, 1.1), 2),
    plots.HeatColumn(LOST, 0.4, (6.0, -6.0), 0),
    plots.HeatColumn(SEEDS, 0.45, None, 0),
)
NOTE = (
    "Each number is a mean over seeds. Lost: seeds that ran away (left out of the means), or whose validation accuracy "
    "fell by more than 10 points below its own best.\n"
    "SGD and frozen feedback are tuned (16 trials each) for each data set, depth, batch and schedule; SGD for each "
    "width too. Other rows are compared with the controls of the base.\n"
    "Framed: SAL misses the goal of its row. Hatched: not run yet. Base: three hidden layers, constant rates."
)


def row_of(cell: Cell, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A row of the page: heading -> number, numbers of the hidden layers, or None if a cell has not been run."""
    own, sgd = found.get(cell.name), found.get(cell.beside(SGD))
    frozen = found.get(cell.beside(FROZEN)) if FROZEN in cell.controls else None
    row: dict[str, Any] = dict.fromkeys((ACCURACY, AGAINST, COSINES, LOST, SEEDS))
    if FROZEN in cell.controls:
        row[FROZEN_AGAINST] = _minus(frozen, sgd)
    if own is not None:
        row[ACCURACY] = _test(own)
        row[AGAINST] = _minus(own, sgd)
        row[COSINES] = [mean(values) for values in own["gradient_cosine"].values()] or None
        row[LOST] = len(own["ran away"]) + len(own["collapsed"])
        row[SEEDS] = own["seeds"]
    return row


def _test(row: Mapping[str, Any]) -> float:
    return 100 * mean(row["test"])


def _minus(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> float | None:
    return None if a is None or b is None else _test(a) - _test(b)


def misses(cell: Cell, row: Mapping[str, Any]) -> list[str]:
    """The headings of the goals that a row misses."""
    shallow, missed = len(cell.hidden) <= 3, []
    if row[ACCURACY] is not None and cell.condition == "base" and row[ACCURACY] < GOALS.get(cell.dataset, 0.0):
        missed.append(ACCURACY)
    if row[AGAINST] is not None and not row[AGAINST] >= (-1.0 if shallow else -2.0):
        missed.append(AGAINST)
    if row[COSINES] is not None and not min(row[COSINES]) >= (0.65 if shallow else 0.5):
        missed.append(COSINES)
    if row[LOST] and cell.batch_size >= 64 and len(cell.hidden) <= 5:
        missed.append(LOST)
    return missed


def page(grid: Iterable[Cell], found: Mapping[str, Mapping[str, Any]]) -> Any:
    """The whole grid as a figure."""
    sal = [cell for cell in grid if cell.circuit == SAL]
    panels = {"Data sets": [{NAMES[cell.dataset]: cell for cell in sal if cell.condition == "base"}]}
    for dataset in VARIED:
        groups = itertools.groupby((cell for cell in sal if cell.dataset == dataset), key=lambda cell: cell.factor)
        panels[f"{NAMES[dataset]}, one factor at a time"] = [{_label(cell): cell for cell in own} for _, own in groups]
    tables = {
        title: [{label: row_of(cell, found) for label, cell in group.items()} for group in groups]
        for title, groups in panels.items()
    }
    framed = [
        (title, label, heading)
        for title, groups in panels.items()
        for group in groups
        for label, cell in group.items()
        for heading in misses(cell, row_of(cell, found))
    ]
    first, second, third = tables
    pages = [{first: tables[first], second: tables[second]}, {third: tables[third]}]
    title = "SAL with one set of constants: accuracy against SGD, hidden cosines, and seeds that were lost"
    return plots.heat_table(pages, COLUMNS, framed=framed, title=title, note=NOTE)


def _label(cell: Cell) -> str:
    factor, _, value = cell.condition.rpartition(" ")
    if not factor:
        return f"base: {len(cell.hidden)} × {cell.hidden[0]}, batch {cell.batch_size}"
    return f"{factor} × {value}" if factor in ("inputs", "eta", "stream") else cell.condition


def table(grid: Iterable[Cell], found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The finished cells as table cells: mean ± standard deviation over seeds."""
    rows = []
    for cell in (cell for cell in grid if cell.name in found):
        row = found[cell.name]
        sgd, cosines = found.get(cell.beside(SGD)), [mean(values) for values in row["gradient_cosine"].values()]
        rows.append({
            "cell": cell.name.replace("/", " "),  # which can be wrapped
            "test accuracy, %": mean_and_spread(row["test"], scale=100),
            "minus SGD": "" if cell.circuit == SGD or sgd is None else f"{_test(row) - _test(sgd):+.2f}",
            "hidden cosines": " ".join(f"{cosine:.2f}" for cosine in cosines) if cell.circuit != SGD else "",
            "lost": f"{len(row['ran away']) + len(row['collapsed'])} of {row['seeds']}",
            "seconds": f"{row['seconds'] + row['seconds of tuning']:.0f}",
        })  # fmt: skip
    return pd.DataFrame(rows)
