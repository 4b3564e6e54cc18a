"""All measurements in one run, as a table."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console

from circuitsim.studies.bench import others
from circuitsim.studies.bench.floor import products
from circuitsim.studies.bench.machine import machine
from circuitsim.studies.bench.replicas import GAINS, time_replicas
from circuitsim.studies.bench.row import Row
from circuitsim.studies.bench.sparse import time_sparse
from circuitsim.studies.bench.steps import HEADLINE, SIZES, circuit_of, time_steps
from circuitsim.studies.experiment import as_rich_table


def bench(rounds: int, quick: bool, out: Path, device: str) -> pd.DataFrame:
    """Measure, print and write.

    Args:
        rounds: interleaved rounds of each comparison.
        quick: only the comparisons that have a target, three rounds.
        out: the CSV file.
        device: as in `compile`.
    """
    console = Console()
    described = machine()
    console.print(described, highlight=False)
    case = HEADLINE[0]
    console.print(f"the floor of {case.name}: these products, each once, nothing else", highlight=False)
    for product in products(circuit_of(case.layers), case.batch):
        console.print(f"  {product}", highlight=False, markup=False)
    table = pd.DataFrame()
    for rows in _measurements(3 if quick else rounds, quick, device):
        for name, some in itertools.groupby(rows, lambda row: row.bench):
            console.print(as_rich_table(_shown(list(some)), f"{name}: {rows[0].case}"))
        table = pd.concat([table, pd.DataFrame([asdict(row) | {"met": row.met} for row in rows])])
        out.parent.mkdir(parents=True, exist_ok=True)
        table.assign(machine=described).to_csv(out, index=False)  # after each: a run that is stopped leaves a table
    missed = table[table.met == "no"]
    console.print(f"{(table.met == 'yes').sum()} targets met, {len(missed)} missed; wrote {out}", highlight=False)
    return table


def _measurements(rounds: int, quick: bool, device: str) -> Iterator[list[Row]]:
    """Each yields a table; the cases with targets first."""
    jobs: list[Callable[[], list[Row]]] = [partial(time_steps, case, rounds, device) for case in HEADLINE]
    jobs += [partial(time_replicas, n_replicas, rounds, device) for n_replicas in GAINS]
    jobs += [partial(others.memory, case, device) for case in HEADLINE]
    jobs += [partial(others.compile_time, 100, device), partial(others.fit_epoch, 3, device)]
    jobs += [partial(time_sparse, n, 0.01, rounds, device) for n in ((2_000,) if quick else (2_000, 20_000))]
    if not quick:
        jobs += [partial(time_steps, case, rounds, device) for case in SIZES]
    for job in jobs:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            yield job()


def _shown(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "": row.contestant,
                "median": f"{row.value:.3g} {row.unit}",
                "quartiles": f"{row.low:.3g} .. {row.high:.3g}",
                "ours over it": "" if row.ours_over is None else f"{row.ours_over:.3f}",
                "target": "" if row.at_most is None else f"{row.at_most:.3g}",
                "met": row.met,
            }
            for row in rows
        ]
    )
