"""The live display of a run, with a progress bar, the rate, the remaining time and the latest metrics."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text


class _Rate(ProgressColumn):
    """A column that shows the steps per second."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        if not rate:
            return Text("- steps/s")
        return Text(f"{rate:.0f} steps/s" if rate >= 10 else f"{rate:.2g} steps/s")


class RunProgress:
    """Shows the progress of a run on standard error, unless `show` is False."""

    def __init__(self, name: str, n_steps: int | None, show: bool) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            disable=not show,
        )
        self._is_shown = show
        self._task = self._bar.add_task(name, total=n_steps, note="")

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def advance(self, n_steps: int = 1) -> None:
        if self._is_shown:
            self._bar.advance(self._task, n_steps)

    def note(self, text: str) -> None:
        """Show text, such as the latest metrics, to the right of the bar."""
        self._bar.update(self._task, note=text)
