"""Compare the speed of circuitsim with hand-written programs on this machine; print a table and write it as CSV.

python benchmarks/bench.py                          # all cases
python benchmarks/bench.py --quick                  # three rounds, without the longest case
python benchmarks/bench.py --only sal --only tiny   # cases by name or prefix
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # benchmarks are not installed, and they measure this checkout
    sys.path.insert(0, str(ROOT))

import pandas as pd  # noqa: E402
import typer  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.cases import CASES, LONG  # noqa: E402
from benchmarks.machine import machine  # noqa: E402
from benchmarks.rows import Row  # noqa: E402

QUICK_ROUNDS = 3
WIDTH = 120  # also if the output is redirected to a file
COLUMNS = ("", "median", "quartiles", "target", "met")


def bench(names: Iterable[str], rounds: int, out: Path, device: str) -> pd.DataFrame:
    """Measure, print and write.

    Args:
        names: names in `CASES`.
        rounds: the number of interleaved rounds of each comparison.
        out: the CSV file.
        device: as in `circuitsim.compile`.
    Returns:
        The table that was written: one line per `Row`, with the additional columns "met" and "machine".
    """
    console, described, rows = Console(width=WIDTH), machine(device), []
    console.print(described, highlight=False)
    for found in measured(names, rounds, device):
        console.print(shown(found))
        rows += found
        table = pd.DataFrame([asdict(row) | {"met": row.met, "machine": described} for row in rows])
        out.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(out, index=False)  # after each case, so that an interrupted run leaves a table
    console.print(f"{(table.met == 'met').sum()} targets met, {(table.met == 'missed').sum()} missed", highlight=False)
    console.print(f"wrote {out}", highlight=False)
    return table


def measured(names: Iterable[str], rounds: int, device: str) -> Iterator[list[Row]]:
    """Measure the cases one after the other, and yield the rows of each."""
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            yield CASES[name](rounds, device)


def shown(rows: list[Row]) -> Table:
    """Format a case for the terminal: first the times, then the ratios."""
    table = Table(title=f"{rows[0].bench}: {rows[0].case}")
    for column in COLUMNS:
        table.add_column(column)
    last_figure = [row for row in rows if not row.over][-1]
    for row in rows:
        table.add_row(
            f"{row.contestant} / {row.over}" if row.over else row.contestant,
            f"{row.value:.3g} {row.unit}".rstrip(),
            f"{row.low:.3g} .. {row.high:.3g}",
            "" if row.at_most is None else f"{row.at_most:.3g}",
            row.met,
            end_section=row is last_figure,
        )
    return table


def chosen(only: Iterable[str], quick: bool) -> list[str]:
    """Return the names of the selected cases.

    Args:
        only: names or prefixes; if empty, all cases are selected.
        quick: whether to skip the longest cases, unless they are named.
    Raises:
        typer.BadParameter: no case has this name or prefix.
    """
    asked = list(only)
    if not asked:
        return [name for name in CASES if not (quick and name in LONG)]
    found: set[str] = set()
    for start in asked:
        meant = [start] if start in CASES else [name for name in CASES if name.startswith(start)]
        if not meant:
            raise typer.BadParameter(f"no case {start!r} (known: {', '.join(CASES)})")
        found.update(meant)
    return [name for name in CASES if name in found]


def main(
    rounds: Annotated[int, typer.Option(min=1, help="number of interleaved rounds, for medians and quartiles")] = 20,
    quick: Annotated[bool, typer.Option("--quick", help="three rounds, to check that it works")] = False,
    out: Annotated[Path, typer.Option(help="table to write")] = Path("runs/bench.csv"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    only: Annotated[list[str] | None, typer.Option(help=f"any of {', '.join(CASES)}, or a prefix")] = None,
) -> None:
    """Measure steps, epochs, replicas, compile time, memory and sparse synapses, and compare with other programs."""
    bench(chosen(only or [], quick), QUICK_ROUNDS if quick else rounds, out, device)


if __name__ == "__main__":
    typer.run(main)
