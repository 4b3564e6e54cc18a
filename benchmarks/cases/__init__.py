"""The cases of the benchmark, keyed by name: functions of (rounds, device) that return rows."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.cases import (
    batch_sizes,
    compile_time,
    drawing,
    epochs,
    fit_overhead,
    memory,
    relatives,
    replicas,
    sal_steps,
    settling,
    sparse,
    tiny,
)  # fmt: skip
from benchmarks.rows import Row

Case = Callable[[int, str], list[Row]]

CASES: dict[str, Case] = {
    **sal_steps.CASES,
    **relatives.CASES,
    **settling.CASES,
    **replicas.CASES,
    **batch_sizes.CASES,
    **tiny.CASES,
    **fit_overhead.CASES,
    **epochs.CASES,
    **compile_time.CASES,
    **drawing.CASES,
    **memory.CASES,
    **sparse.CASES,
}
LONG = ("sparse-20000",)  # skipped in quick runs
