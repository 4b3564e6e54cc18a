"""What all experiments share: options, a report, a run folder, a command."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from circuitsim._version import __version__
from circuitsim.errors import ParameterError
from circuitsim.files import check_writable, write_atomically, writing
from circuitsim.history import History


@dataclass(frozen=True)
class Options:
    """How to run an experiment.

    Args:
        dataset: name of a data set.
        epochs: passes over the training data; None: what fits the data set.
        seeds: independent circuits per row, run as replicas of one batched circuit.
        quick: few epochs and seeds, to see that it works (not for conclusions).
        out: run folder.
        device: as in `circuitsim.compile`.
        progress: whether to show live displays.
        scheduler: where circuits are trained, as in `circuitsim.studies.scheduler`; None: here. For experiments that
            are a list of independent circuits (`independent_circuits`).
    """

    dataset: str = "digits"
    epochs: int | None = None
    seeds: int = 5
    quick: bool = False
    out: Path = Path("runs/experiment")
    device: str = "auto"
    progress: bool = True
    scheduler: str | None = None


@dataclass
class Report:
    """What an experiment found.

    Args:
        title: one line.
        table: a row per condition, with mean and spread.
        notes: Markdown; what was measured, and how it compares with the paper's figures.
        figures: name -> matplotlib Figure, from `circuitsim.plots`.
        histories: label -> history.
        configuration: what else one must know to repeat it.
    """

    title: str
    table: pd.DataFrame
    notes: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)


def write_report(report: Report, out: Path, options: Any, seconds: float | None = None) -> list[Path]:
    """Write the table (CSV, Markdown), figures (PNG, SVG), histories, configuration and versions into a run folder."""
    with writing(out):
        _write(report, out, options, seconds)
    return sorted(out.iterdir())


def _write(report: Report, out: Path, options: Any, seconds: float | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    report.table.to_csv(out / "table.csv", index=False)
    (out / "report.md").write_text(f"# {report.title}\n\n{as_markdown(report.table)}\n{report.notes}\n")
    for name, figure in report.figures.items():
        for suffix in ("png", "svg"):
            figure.savefig(out / f"{name}.{suffix}", dpi=150, bbox_inches="tight")
    if report.histories:
        parts = [history.to_pandas().assign(circuit=label) for label, history in report.histories.items()]
        pd.concat(parts, ignore_index=True).to_csv(out / "history.csv", index=False)
    chosen = asdict(options) if isinstance(options, Options) else dict(options)
    document = {"title": report.title, "options": chosen, **report.configuration, "seconds": seconds}
    write_configuration(document, out)


def write_configuration(document: Mapping[str, Any], out: Path) -> None:
    """Write configuration.json into a run folder: the document, and the versions."""
    versions = {"circuitsim": __version__, "torch": torch.__version__, "python": platform.python_version()}
    content = json.dumps({**document, "versions": versions}, indent=1, default=str)
    write_atomically(out / "configuration.json", content.encode())


def as_markdown(table: pd.DataFrame) -> str:
    """A table in Markdown; line breaks inside cells become <br>."""
    rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    return "".join(f"| {' | '.join(str(cell).replace(chr(10), '<br>') for cell in row)} |\n" for row in rows)


def as_rich_table(table: pd.DataFrame, title: str) -> Table:
    """A table for the terminal."""
    shown = Table(title=title, show_lines=True)
    for column in table.columns:
        shown.add_column(str(column))
    for row in table.itertuples(index=False):
        shown.add_row(*map(str, row))
    return shown


def spread(values: Any, digits: int = 2) -> str:
    """Mean and sample standard deviation over replicas, such as ``0.41 ± 0.03``."""
    series = pd.Series(values, dtype=float)
    deviation = series.std(ddof=1) if len(series) > 1 else 0.0
    return f"{series.mean():.{digits}f} ± {deviation:.{digits}f}"


Experiment = Callable[[Options], Report]
_INDEPENDENT: list[Experiment] = []


def independent_circuits(experiment: Experiment) -> Experiment:
    """Say of an experiment that its circuits can be trained apart, on the workers of a scheduler."""
    _INDEPENDENT.append(experiment)
    return experiment


def run_experiment(experiment: Experiment, options: Options) -> Report:
    """Run, write the run folder, and show the table and notes on the terminal.

    Raises:
        ParameterError: a scheduler is given to an experiment that has no use for one.
    """
    if options.scheduler is not None and getattr(experiment, "func", experiment) not in _INDEPENDENT:  # partials too
        raise ParameterError(
            f"scheduler {options.scheduler!r}: this experiment is one run after the other in one process; "
            f"those that are not: {', '.join(e.__name__ for e in _INDEPENDENT) or 'none'}"
        )
    console = Console()
    started = time.perf_counter()
    check_writable(options.out)  # now, and not after hours
    report = experiment(options)
    written = write_report(report, options.out, options, time.perf_counter() - started)
    console.print(as_rich_table(report.table, report.title))
    console.print(Markdown(report.notes))
    console.print("wrote " + ", ".join(str(path) for path in written))
    return report


# The options of every experiment's command line.
DatasetOption = Annotated[str, typer.Option(help="name of a data set")]
EpochsOption = Annotated[int | None, typer.Option(help="passes over the training data; fits the data set by default")]
SeedsOption = Annotated[int, typer.Option(help="independent circuits per row")]
QuickOption = Annotated[bool, typer.Option(help="few epochs and seeds, to see that it works")]
OutOption = Annotated[Path | None, typer.Option(help="run folder; by default one in runs/")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]

SchedulerOption = Annotated[
    str | None, typer.Option(help="'local', or address or scheduler file of a Dask scheduler; trains circuits apart")
]


def command(experiment: Experiment, name: str, dataset: str = "digits") -> None:
    """The command line of one experiment file: ``--dataset --epochs --seeds --quick --out --device``."""
    default_dataset = dataset

    def main(
        dataset: DatasetOption = default_dataset,
        epochs: EpochsOption = None,
        seeds: SeedsOption = 5,
        quick: QuickOption = False,
        out: OutOption = None,
        device: DeviceOption = "auto",
        scheduler: SchedulerOption = None,
    ) -> None:
        folder = out or Path("runs") / f"{name}_{dataset}"
        run_experiment(experiment, Options(dataset, epochs, seeds, quick, folder, device, scheduler=scheduler))

    main.__doc__ = experiment.__doc__
    typer.run(main)
