"""Run SAL with one set of constants on five data sets, and with other depths, widths, batches, inputs and rates.

python examples/robustness.py --cells '^(digits|teacher)/'         # some cells; repeat the command to go on
python examples/robustness.py --folder data --budget 60            # begin no cell after an hour
python examples/robustness.py --cells '^$'                         # only draw the page of what is there
python examples/robustness.py --quick
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

import circuitsim as cs
from circuitsim.files import check_writable, write_atomically, writing
from support import Condition, Result, Setup, command, mean_and_spread
from support import search as tuning
from support.grid import CONTROLS, FIRST_SEED, SAL, SGD, Cell, Scaled, whole_grid
from support.grid_page import page, table
from support.trainer import checkpoint_of, train

N_TRIALS, QUICK_N_TRIALS, QUICK_EPOCHS = 16, 2, 4
CELLS = "cells.jsonl"  # in the run folder: one line per finished cell
COLLAPSE = 0.1  # a loss of accuracy below the circuit's own best that counts as a collapse


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
