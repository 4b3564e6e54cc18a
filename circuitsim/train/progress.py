"""The live display of a run: bar, rate, remaining time, latest numbers."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text


class _Rate(ProgressColumn):
    """Steps per second, or seconds per step where they are slow."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        if not rate:
            return Text("- steps/s")
        return Text(f"{rate:.0f} steps/s" if rate >= 10 else f"{rate:.2g} steps/s")


class RunProgress:
    """Shows a run on the terminal (standard error); does nothing if `show` is False."""

    def __init__(self, name: str, n_steps: int | None, show: bool) -> None:
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._bar.add_task(name, total=n_steps, note="")

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def advance(self, n_steps: int = 1) -> None:
        """So many steps more."""
        self._bar.advance(self._task, n_steps)

    def note(self, text: str) -> None:
        """The latest numbers, to the right of the bar."""
        self._bar.update(self._task, note=text)
