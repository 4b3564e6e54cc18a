"""The command lines of experiments, and tables for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Table

import circuitsim as cs

DatasetOption = Annotated[
    str,
    typer.Option(
        help="one of circuitsim.load_dataset, one of these with _14x14 appended (smaller images), or cifar10_jpeg"
    ),
]
FolderOption = Annotated[Path | None, typer.Option(help="folder with the files of the data set")]
EpochsOption = Annotated[
    int | None, typer.Option(help="passes over the training data; the default depends on the data set")
]
SeedsOption = Annotated[int, typer.Option(help="number of independent circuits per condition")]
QuickOption = Annotated[bool, typer.Option("--quick", help="few epochs and seeds, to check that it works")]
OutOption = Annotated[Path | None, typer.Option(help="run folder; by default a folder in runs/")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="'local', or the address or scheduler file of a Dask scheduler")
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="save circuits in the run folder, and continue from them")]


def run(main: Callable[..., None]) -> None:
    """Run a function as a command line. Errors of circuitsim are shown as messages without a traceback."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)  # show brackets in docstrings as they are
    app.command()(main)
    try:
        app()
    except cs.CircuitError as error:
        typer.echo(f"{typer.style('error:', fg='red')} {error}")
        raise SystemExit(1) from None


def as_markdown(table: pd.DataFrame) -> str:
    """Format a table in Markdown. Line breaks inside cells become <br>, and bars are escaped."""

    def line(cells: Iterable[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |\n"

    return line(table.columns) + line(["---"] * len(table.columns)) + "".join(map(line, table.values.tolist()))


def as_rich_table(table: pd.DataFrame, title: str) -> Table:
    """Format a table for the terminal."""
    shown = Table(*map(str, table.columns), title=title, show_lines=True)
    for row in table.itertuples(index=False):
        shown.add_row(*map(str, row))
    return shown
