"""Run SAL with one set of constants on five data sets, and with other depths, widths, batches, inputs and rates.

python examples/robustness.py --cells '^(digits|teacher)/'         # some cells; repeat the command to go on
python examples/robustness.py --folder data --budget 60            # begin no cell after an hour
python examples/robustness.py --cells '^$'                         # only draw the page of what is there
python examples/robustness.py --quick
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from torch import Tensor

import circuitsim as cs
import motifs
from circuitsim import plots
from circuitsim.files import check_writable, write_atomically, writing
from support import Condition, Result, Setup, command, datasets, mean, mean_and_spread
from support import search as tuning
from support.algorithms import Algorithm
from support.circuits import frozen_sal, scale_eta
from support.trainer import checkpoint_of, train

SAL, SGD, FROZEN = "SAL", "SGD", "frozen"
# SAL's constants were chosen with seeds below this one, and the controls are tuned with them.
FIRST_SEED = 1000
N_TRIALS, QUICK_N_TRIALS, QUICK_EPOCHS = 16, 2, 4
CELLS = "cells.jsonl"  # in the run folder: one line per finished cell
COLLAPSE = 0.1  # a loss of accuracy below the circuit's own best that counts as a collapse


CONTROLS = {
    SGD: Algorithm(SGD, motifs.backprop, {"eta": (0.01, 3.0), "gamma": (1e-6, 1e-3)}),
    FROZEN: Algorithm(FROZEN, frozen_sal, {"eta": (2.0, 100.0), "gamma": (1e-6, 1e-3), "cap": (0.1, 2.0)}),
}


@dataclass(frozen=True)
class Cell:
    """One circuit in one condition.

    Args:
        dataset: the name of a data set.
        condition: "base", or the factor that differs from the base and its value, such as "width 64".
        circuit: `SAL`, `SGD` or `FROZEN`.
        hidden, batch_size, epochs, seeds: as in `Setup`.
        stream: the width of the descending stream, in units of the ascending one.
        inputs, eta: factors on the standardised inputs and on every eta.
        schedule: as in `circuitsim.fit`.
    """

    dataset: str
    condition: str
    circuit: str
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    seeds: int
    stream: float = 1.0
    inputs: float = 1.0
    eta: float = 1.0
    schedule: str | None = None

    @property
    def name(self) -> str:
        """The name, by which `--cells` chooses."""
        return f"{self.dataset}/{self.condition}/{self.circuit}"

    @property
    def factor(self) -> str:
        """The factor that differs from the base; "" for the base."""
        return self.condition.rpartition(" ")[0]

    @property
    def controls(self) -> tuple[str, ...]:
        """The circuits that are tuned for this condition."""
        if self.factor in ("", "hidden layers", "batch", "schedule"):
            return SGD, FROZEN
        return (SGD,) if self.factor == "width" else ()

    def beside(self, circuit: str) -> str:
        """The name of the cell of a control with which this one is compared: of its condition, or of the base."""
        condition = self.condition if circuit in self.controls else "base"
        return f"{self.dataset}/{condition}/{circuit}"

    def motif(self, layers: list[int], **settings: Any) -> cs.Motif:
        """The motif that learns.

        Args:
            layers: the sizes of the ascending populations.
            settings: the loss, and the tuned settings of a control.
        """
        if self.circuit in CONTROLS:
            return CONTROLS[self.circuit].make(layers, **settings)
        descending = [max(1, round(self.stream * size)) for size in layers[1:-1]]
        return scale_eta(motifs.sal(layers, descending, **settings), self.eta)

    def fingerprint(self, settings: Mapping[str, Any]) -> str:
        """A short hash of all that determines the result except data and seeds, so that old results are recognised."""
        circuit = self.motif([1, *self.hidden, 2], **settings).to_json()
        rest = {k: v for k, v in asdict(self).items() if k not in ("condition", "seeds")}
        return hashlib.sha256(json.dumps([circuit, rest, FIRST_SEED]).encode()).hexdigest()[:12]


def _base(dataset: str, size: int, batch_size: int, epochs: int, seeds: int) -> Cell:
    return Cell(dataset, "base", SAL, (size,) * 3, batch_size, epochs, seeds)


# On the small data sets, the epochs give V, Vt and Wt about as many steps as they average over (3000).
BASES = (
    _base("digits", 32, 64, 150, 10),
    _base("teacher", 32, 64, 70, 10),
    _base("mnist", 200, 256, 15, 5),
    _base("fashion_mnist", 200, 256, 20, 5),
    _base(datasets.JPEG_COPIES, 200, 256, 15, 3),
)
VARIED = ("digits", "fashion_mnist")
NAMES = {
    "digits": "digits", "teacher": "teacher", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST",
    datasets.JPEG_COPIES: "CIFAR-10, JPEG copies",
}  # fmt: skip
GOALS = {"digits": 95.5, "fashion_mnist": 87.0, "mnist": 96.5, datasets.JPEG_COPIES: 48.0}  # test accuracy of the base


def variations(base: Cell) -> Iterator[Cell]:
    """SAL with one factor at a time changed."""
    size, changed = base.hidden[0], functools.partial(replace, base)
    yield from (changed(condition=f"hidden layers {n}", hidden=(size,) * n) for n in (1, 2, 5, 8))
    yield from (changed(condition=f"batch {n}", batch_size=n) for n in (16, 64, 256, 1024) if n != base.batch_size)
    yield changed(condition="schedule cosine", schedule="cosine")
    yield from (changed(condition=f"inputs {factor:g}", inputs=factor) for factor in (0.1, 10.0))
    yield from (changed(condition=f"eta {factor:g}", eta=factor) for factor in (0.5, 1.5))
    yield from (changed(condition=f"width {n}", hidden=(n,) * 3) for n in (16, 64, 256, 1024))
    yield from (changed(condition=f"stream {factor:g}", stream=factor) for factor in (0.5, 2.0, 5.0, 10.0))


def whole_grid() -> list[Cell]:
    """All cells of the grid, each condition's controls behind it."""
    conditions = [*BASES, *(cell for base in BASES if base.dataset in VARIED for cell in variations(base))]
    return [replace(cell, circuit=circuit) for cell in conditions for circuit in (SAL, *cell.controls)]


@dataclass(frozen=True)
class Place:
    """The run folder, and how to run cells in it.

    Args:
        out: the run folder.
        folder, device: as in `Setup`.
        n_trials: the number of trials in each search.
    """

    out: Path
    folder: Path | None = None
    device: str = "auto"
    n_trials: int = N_TRIALS

    def setup(self, cell: Cell, seed: int, seeds: int) -> Setup:
        """The setup of a cell."""
        return Setup(
            cell.dataset, cell.hidden, cell.batch_size, cell.epochs, seeds, self.out, device=self.device, resume=True,
            progress=False, load=Scaled(cell.inputs), folder=self.folder, seed=seed,
        )  # fmt: skip

    def settings(self, cell: Cell, search: bool = False) -> dict[str, float] | None:
        """A control's tuned settings; None if they have not been searched, unless `search` is true.

        They are found with `support.search` on the validation split, and cached in ``tuned.json``.
        """
        if cell.circuit not in CONTROLS:
            return {}
        control, path = CONTROLS[cell.circuit], self.out / "tuned.json"
        key = f"{cell.name}, {self.n_trials} trials, {cell.fingerprint(dict.fromkeys(control.space, 1.0))}"
        cached: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}
        if key not in cached and search:
            study = tuning.search(
                key, self.setup(cell, 0, 1), self.n_trials, "tpe", control, schedule=cell.schedule
            )  # fmt: skip
            cached = json.loads(path.read_text()) if path.is_file() else {}  # other processes may have added theirs
            cached[key] = tuning.best(study, control.space)
            write_atomically(path, json.dumps(cached, indent=1).encode())
        return cached.get(key)

    def finished(self, grid: Iterable[Cell]) -> dict[str, dict[str, Any]]:
        """The finished cells of a grid, keyed by name, with the most seeds of each; not those with other constants."""
        tuned = {cell: self.settings(cell) for cell in grid}
        current = {cell.name: cell.fingerprint(found) for cell, found in tuned.items() if found is not None}
        best: dict[str, dict[str, Any]] = {}
        for row in _lines(self.out / CELLS):
            name = row["cell"]
            if current.get(name) == row["fingerprint"] and row["seeds"] >= best.get(name, row)["seeds"]:
                best[name] = row
        return best


@dataclass(frozen=True)
class Scaled:
    """Loads a data set with its standardised inputs multiplied by a factor."""

    factor: float = 1.0

    def __call__(self, dataset: str, folder: Path | None = None) -> cs.Dataset:
        data = datasets.load(dataset, folder)
        if self.factor == 1.0:
            return data
        scaled: dict[str, Any] = {}
        for name, split in data.splits.items():
            assert isinstance(split.x, Tensor)
            scaled[name] = replace(split, x=self.factor * split.x)
        return replace(data, **scaled)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The finished cells in a file. A process that was killed may have left part of a line, which is skipped."""
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _append(path: Path, row: Mapping[str, Any]) -> None:
    """Add a line; an incomplete last line is ended first."""
    incomplete = path.is_file() and not path.read_bytes().endswith(b"\n")
    with path.open("a") as file:
        file.write(("\n" if incomplete else "") + json.dumps(row) + "\n")


def learn(cell: Cell, place: Place) -> bool:
    """Tune a control if that was not done, train the cell, and add its line to the file of finished cells.

    A run that is killed goes on from its last epoch when the cell is run again.

    Returns:
        Whether the cell was finished, and not interrupted by Ctrl-C.
    """
    started = time.perf_counter()
    settings = place.settings(cell, search=True)
    assert settings is not None
    tuning, started = time.perf_counter() - started, time.perf_counter()
    setup = place.setup(cell, FIRST_SEED, cell.seeds)
    probe = replace(setup.alignment()["alignment"], every_epochs=cell.epochs)
    motif = cell.motif(setup.layers, loss=setup.loss, **settings)
    label = f"{cell.name} {cell.seeds} {cell.fingerprint(settings)}"
    result = train(label, Condition(motif, {"alignment": probe}, schedule=cell.schedule), setup)
    if result.history.interrupted:
        return False
    row = {
        "cell": cell.name, "fingerprint": cell.fingerprint(settings), "seeds": cell.seeds, "settings": settings,
        **measured(result), "steps": result.circuit.n_steps, "seconds": round(time.perf_counter() - started, 1),
        "seconds of tuning": round(tuning, 1), "device": str(result.circuit.device),
    }  # fmt: skip
    _append(place.out / CELLS, row)
    saved = checkpoint_of(label, setup)
    assert saved is not None
    saved.unlink(missing_ok=True)
    return True


def measured(result: Result) -> dict[str, Any]:
    """Accuracies and cosines of each seed at the end (None if it ran away), and the seeds that were lost."""
    row: dict[str, Any] = {split: _plain(result.final("accuracy", split)) for split in ("train", "validation", "test")}
    for metric in ("gradient_cosine", "stationarity_cosine"):
        row[metric] = {site: _plain(values) for site, values in result.by_site(metric).items()}
    return {**row, "ran away": result.runaways, "collapsed": _collapsed(result)}


def _collapsed(result: Result) -> list[int]:
    """The seeds that did not run away, but ended far below their own best validation accuracy."""
    try:
        curve = result.history.curve("accuracy", "validation")
    except cs.ParameterError:  # all ran away in the first epoch
        return []
    fall = curve.max() - curve.iloc[-1]
    return [int(k) for k in fall.index if fall[k] > COLLAPSE and int(k) not in result.runaways]


def _plain(values: Any) -> list[float | None]:
    return [round(float(value), 5) if np.isfinite(value) else None for value in values]


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


def main(
    cells: Annotated[str, typer.Option(help="regular expression that the names of cells to run must match")] = "",
    seeds: Annotated[
        int | None, typer.Option(help="number of circuits per cell; 10 on digits and teacher, else 5, CIFAR-10 3")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="minutes after which no cell begins")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="folder with the files of the data sets, some perhaps in folders of their own")
    ] = None,
    quick: command.QuickOption = False,
    out: command.OutOption = None,
    device: command.DeviceOption = "auto",
) -> None:
    """Measure SAL with one set of constants over data sets, depths, widths, batches, inputs, rates and schedules.

    The question: does one set of constants assemble everywhere, or must it be tuned? Each cell of the grid is one
    condition: the base of each of five data sets (three hidden layers, constant rates), and on digits and
    Fashion-MNIST one factor at a time. A cell's name is DATASET/CONDITION/CIRCUIT, where the circuit is SAL at its
    defaults, SGD or frozen: SAL with fixed random feedback of unit size. Both controls are tuned with 16 trials on
    the validation split, for each data set, depth, batch and schedule; SGD for each width too.

    The measure: test accuracy minus that of SGD, cosines of the hidden layers with the gradient, and the number of
    seeds that ran away or collapsed. The seeds are other ones than those of the search.

    Cells do not depend on each other. Each adds a line to cells.jsonl in the run folder when it is finished, and the
    same command after an interruption continues where it stopped. Several processes may share a run folder if their
    cells differ. Cells that were run with other constants are run again. The page grid.png shows what is there.

    Source: the conditions are ours, the circuit is that of Liao et al. (2024), arXiv 2412.20018.
    """
    out = out or Path("runs") / ("robustness_quick" if quick else "robustness")
    grid = whole_grid()
    if quick:
        grid = [replace(cell, epochs=QUICK_EPOCHS, seeds=2) for cell in grid]
        cells = cells or f"^digits/base/({SAL}|{SGD})$"
    if seeds is not None:
        grid = [replace(cell, seeds=seeds) for cell in grid]
    check_writable(out)
    run(grid, Place(out, folder, device, QUICK_N_TRIALS if quick else N_TRIALS), cells, budget)


def run(grid: list[Cell], place: Place, chosen: str = "", budget: float | None = None) -> dict[str, dict[str, Any]]:
    """Run the chosen cells that are not finished, and write table and page.

    Args:
        grid: all cells.
        place: the run folder.
        chosen: a regular expression that names of cells to run must match.
        budget: minutes after which no cell begins.
    Returns:
        The finished cells, keyed by name.
    """
    console, started, absent = Console(markup=False), time.monotonic(), set[str]()
    for cell in (cell for cell in grid if re.search(chosen, cell.name)):
        if budget is not None and time.monotonic() - started > 60 * budget:
            console.print("the budget is used up", style="yellow")
            break
        if cell.dataset in absent or place.finished([cell]).get(cell.name, {"seeds": 0})["seeds"] >= cell.seeds:
            continue
        try:
            if not learn(cell, place):
                console.print(f"interrupted in {cell.name}; the same command continues it", style="yellow")
                break
        except cs.DataError as error:  # files are missing
            absent.add(cell.dataset)
            console.print(f"{cell.dataset} is left out: {error}", style="yellow", highlight=False)
            continue
        row = place.finished([cell])[cell.name]
        took = f"{row['seconds']:.0f} s, tuning {row['seconds of tuning']:.0f} s"
        console.print(f"{cell.name}: {mean_and_spread(row['test'], scale=100)} % ({took})", highlight=False)
    found = place.finished(grid)
    shown = table(grid, found)
    with writing(place.out):
        shown.to_csv(place.out / "table.csv", index=False)
        (place.out / "report.md").write_text(f"# Robustness\n\n{command.as_markdown(shown)}\n")
        figure = page(grid, found)
        for suffix in ("png", "svg"):
            figure.savefig(place.out / f"grid.{suffix}", dpi=150, bbox_inches="tight")
    console.print(command.as_rich_table(shown, "Robustness: mean ± standard deviation"))
    console.print(f"{len(found)} of {len(grid)} cells are there; wrote {place.out / 'grid.png'}", highlight=False)
    return found


if __name__ == "__main__":
    command.run(main)
