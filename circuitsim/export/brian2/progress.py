"""The progress of a run, which players report as the share that is done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import Progress

Report = Callable[[float], None]


def ignore(done: float) -> None:
    """Report nothing."""


def within(report: Report, begin: float, end: float) -> Report:
    """The report of a part of a run, which takes it from `begin` to `end`."""
    return lambda share: report(begin + share * (end - begin))


@contextlib.contextmanager
def progress_bar(label: str, total: float, shown: bool, done: int = 0) -> Iterator[Report]:
    """Show a bar, and give a function that sets how much of `total` is done."""
    with Progress(console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda done: bar.update(task, completed=done)
