"""The base class of experiments, with their run folders and command lines."""

from __future__ import annotations

import abc
import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
from rich.console import Console
from rich.markdown import Markdown

import circuitsim as cs
from circuitsim import plots
from circuitsim.files import check_writable, writing
from circuitsim.train.configuration import write_configuration
from circuitsim.train.setting import SETTINGS
from support import command, datasets
from support.result import Result
from support.setup import Setup
from support.trainer import Condition, train_all


class Study(abc.ABC):
    """An experiment trains its conditions and reports their results in a table, notes and figures.

    Each subclass is one experiment. It declares `motifs` and `probes` (or complete `conditions`), and makes the `rows`
    of its table, `notes` and `figures` from `results`. Numbers that several of these need are properties.
    Its docstring says what is measured and names the source; the command line shows it as help.

    Class attributes:
        title: a short title; the data set and the number of seeds are appended.
        dataset: the default data set.
        hidden, batch_size: sizes, if they differ from the defaults of the data set.
        epochs: epochs on the default data set, if they differ from its defaults.
        quick_epochs, quick_seeds: epochs and seeds in quick mode; large data sets get one epoch.
        load: loads the data set of a given name, as in `Setup`.
    Args:
        setup: data, sizes and durations. The attribute `results` holds the results, keyed by label.
    """

    title: ClassVar[str]
    dataset: ClassVar[str] = "digits"
    hidden: ClassVar[tuple[int, ...] | None] = None
    batch_size: ClassVar[int | None] = None
    epochs: ClassVar[int | None] = None
    quick_epochs: ClassVar[int] = 20
    quick_seeds: ClassVar[int] = 2
    load: ClassVar[Callable[..., cs.Dataset]] = datasets.load

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.results: dict[str, Result] = {}

    @classmethod
    def on(
        cls, dataset: str | None = None, *, epochs: int | None = None, seeds: int = 5, quick: bool = False,
        out: Path | None = None, **options: Any,
    ) -> Self:  # fmt: skip
        """Return the experiment on a data set.

        Args:
            dataset: the name of the data set.
            epochs: passes over the data; the default depends on the data set.
            seeds: the number of independent circuits per condition.
            quick: use few epochs and seeds, to check that the experiment works (not for conclusions).
            out: the run folder; by default a folder in ``runs/``.
            options: further options of `Setup`.
        """
        dataset = dataset or cls.dataset
        setting = datasets.setting_for(dataset)
        usual = cls.usual_epochs(dataset)
        if quick:
            usual, seeds = cls.quick_epochs if dataset in SETTINGS else 1, min(seeds, cls.quick_seeds)
        out = out or Path("runs") / f"{Path(inspect.getfile(cls)).stem}_{dataset}"
        setup = Setup(
            dataset, cls.hidden or setting.hidden, cls.batch_size or setting.batch_size,
            usual if epochs is None else epochs, seeds,
            out.resolve() if options.get("scheduler") else out,  # workers may run elsewhere
            quick, load=cls.load, **options,
        )  # fmt: skip
        return cls(setup)

    @classmethod
    def usual_epochs(cls, dataset: str) -> int:
        """The number of epochs on a data set, unless the command line gives another."""
        own = cls.epochs if dataset == cls.dataset else None
        return own or datasets.setting_for(dataset).epochs

    def motifs(self) -> Mapping[str, cs.Motif]:
        """The motifs that learn, keyed by label."""
        raise NotImplementedError

    def probes(self) -> Mapping[str, cs.Probe]:
        """The measurements during learning."""
        return {}

    def conditions(self) -> Mapping[str, Condition]:
        """The conditions, keyed by label. By default, each of the `motifs` learns with the same `probes`."""
        return {label: Condition(motif, self.probes()) for label, motif in self.motifs().items()}

    @abc.abstractmethod
    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        """The table rows of a condition, without the columns "circuit" and "ran away", which `table` adds."""

    def table(self) -> pd.DataFrame:
        """The results of all conditions. Seeds that ran away are counted but excluded from means."""
        rows = [
            {"circuit": label, **row, "ran away": result.ran_away}
            for label, result in self.results.items()
            for row in self.rows(label, result)
        ]
        return pd.DataFrame(rows).fillna("")

    def notes(self) -> str:
        """The findings in Markdown, compared with the paper's claims."""
        return ""

    def figures(self) -> Mapping[str, Any]:
        """Figures of `circuitsim.plots`, keyed by name."""
        return {}

    def validation_curves(self) -> dict[str, Any]:
        """A figure of the metric over epochs; empty if nothing was measured on a validation split."""
        histories = self.measured(self.setup.metric, "validation")
        return {"validation": plots.curves(histories, self.setup.metric, split="validation")} if histories else {}

    def configuration(self) -> Mapping[str, Any]:
        """Further options needed to repeat the experiment."""
        return {}

    def save(self, out: Path) -> None:  # noqa: B027 (most have none)
        """Write additional files into the run folder."""

    @property
    def histories(self) -> dict[str, cs.History]:
        """The histories that are not empty, keyed by label."""
        return {label: result.history for label, result in self.results.items() if result.history.rows}

    def measured(self, metric: str, split: str) -> dict[str, cs.History]:
        """The histories that hold a metric on a split; a circuit that ran away in the first epoch has none."""
        return {
            label: history
            for label, history in self.histories.items()
            if any((row[3], row[4]) == (split, metric) for row in history.rows)
        }

    def train(self) -> dict[str, Result]:
        """Train all conditions."""
        return train_all(self.conditions(), self.setup)

    def run(self) -> Self:
        """Train all conditions, write the run folder, and show table and notes on the terminal.

        After Ctrl-C the run folder contains only the histories.

        Raises:
            ArchiveError: the run folder is not writable. This is checked before training.
        """
        out, console, started = self.setup.out, Console(markup=False), time.perf_counter()
        check_writable(out)
        self.results = self.train()
        if self.histories:
            parts = [history.to_pandas().assign(circuit=label) for label, history in self.histories.items()]
            with writing(out):
                pd.concat(parts, ignore_index=True).to_csv(out / "history.csv", index=False)
        if any(result.history.interrupted for result in self.results.values()):
            console.print(f"interrupted: {out / 'history.csv'} holds what was measured", style="yellow")
            return self
        seeds = f"{self.setup.data.name}, {self.setup.seeds} seeds"
        title = f"{self.title}, {seeds}: mean ± standard deviation"
        table, notes = self.table(), self.notes()
        with writing(out):
            table.to_csv(out / "table.csv", index=False)
            (out / "report.md").write_text(f"# {title}\n\n{command.as_markdown(table)}\n{notes}\n")
            for name, figure in self.figures().items():
                for suffix in ("png", "svg"):
                    figure.savefig(out / f"{name}.{suffix}", dpi=150, bbox_inches="tight")
            self.save(out)
        options = self.setup.configuration | {"seconds": time.perf_counter() - started}
        write_configuration({"title": title, "options": options, **self.configuration()}, out)
        console.print(command.as_rich_table(table, title))
        console.print(Markdown(notes))
        console.print("wrote " + ", ".join(str(path) for path in sorted(out.iterdir()) if path.is_file()))
        return self

    @classmethod
    def main(cls) -> None:
        """The command line of the experiment's file."""

        def main(
            dataset: command.DatasetOption = cls.dataset,
            folder: command.FolderOption = None,
            epochs: command.EpochsOption = None,
            seeds: command.SeedsOption = 5,
            quick: command.QuickOption = False,
            out: command.OutOption = None,
            device: command.DeviceOption = "auto",
            scheduler: command.SchedulerOption = None,
            resume: command.ResumeOption = False,
        ) -> None:
            cls.on(
                dataset, epochs=epochs, seeds=seeds, quick=quick, out=out, device=device, scheduler=scheduler,
                resume=resume, folder=folder,
            ).run()  # fmt: skip

        main.__doc__ = inspect.getdoc(cls)
        command.run(main)
