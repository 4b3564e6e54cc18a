"""Jobs run anywhere, give the same, and what has finished is never lost."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from circuitsim.studies.scheduler import run_here, scheduler
from circuitsim.studies.search import LogUniform, Rung, random_search
from motifs import backprop

JOBS = {f"job{k}": k for k in range(8)}


def square(job: int, shared: int) -> bytes:
    return str(job * job + shared).encode()


def square_after_a_death(job: int, shared: str) -> bytes:
    """Job 3 kills the process that runs it, the first time."""
    mark = Path(shared) / "died"
    if job == 3 and not mark.exists():
        mark.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return str(job * job).encode()


EXPECTED = {name: str(k * k).encode() for name, k in JOBS.items()}


def test_results_come_in_the_order_of_the_jobs_and_each_is_told_once():
    told = []
    found = run_here(square, JOBS, 0, lambda name, result: told.append((name, result)))
    assert found == EXPECTED and list(found) == list(JOBS) and told == list(EXPECTED.items())
    assert run_here(square, {}, 0) == {}


def test_finished_jobs_are_kept_and_not_run_again(tmp_path):
    class PowerCut(Exception):
        pass

    def cut(job: int, shared: list[int]) -> bytes:
        shared.append(job)
        if job == 5 and len(shared) == 6:
            raise PowerCut
        return square(job, 0)

    calls: list[int] = []
    with scheduler(keep=tmp_path / "done") as run, pytest.raises(PowerCut):
        run(cut, JOBS, calls)
    assert calls == [0, 1, 2, 3, 4, 5] and len(list((tmp_path / "done").iterdir())) == 5
    (tmp_path / "done" / ".job0.0123.part").write_bytes(b"half")  # of a process that was killed
    told = []
    with scheduler(keep=tmp_path / "done") as run:
        assert run(cut, JOBS, calls, lambda name, result: told.append(name)) == EXPECTED
    assert calls[6:] == [5, 6, 7] and told == list(JOBS)
    assert {p.name for p in (tmp_path / "done").iterdir()} == set(JOBS)


def test_without_dask_or_without_a_scheduler_the_error_says_what_to_do(monkeypatch):
    with (
        pytest.raises(cs.ParameterError, match="no Dask scheduler answers at 'nonsense://here'"),
        scheduler("nonsense://here"),
    ):
        pass
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(cs.ParameterError, match=r"pip install 'circuitsim\[dask\]'"), scheduler("local"):
        pass


def test_a_worker_that_is_killed_costs_nothing(tmp_path):
    with scheduler("local", keep=tmp_path / "done") as run:
        assert run(square_after_a_death, JOBS, str(tmp_path)) == EXPECTED
        assert run(square, {"again": 2}, 5) == {"again": b"9"}
    assert int((tmp_path / "died").read_text()) != os.getpid()
    assert {p.name for p in (tmp_path / "done").iterdir()} == {*JOBS, "again"}


def search(run, data: cs.Dataset) -> pd.DataFrame:
    return random_search(
        functools.partial(backprop, [10, 8, 3]), {"eta": LogUniform(1e-3, 1e5)}, data,
        rungs=[Rung(6, 1), Rung(3, 2, seeds=(0, 1))], group=2, compile_options={"device": "cpu"},
        fit_options={"batch_size": 50}, run=run,
    )  # fmt: skip


def test_a_search_on_workers_is_the_search_here_and_a_second_one_reads_the_first(tmp_path):
    data = cs.load_dataset("teacher", n_features=10, n_outputs=3, n_samples=300)
    expected = search(run_here, data)
    assert np.isfinite(expected[~expected.runaway].validation).all()
    with scheduler("local", keep=tmp_path) as run:
        pd.testing.assert_frame_equal(search(run, data), expected)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 3 + 2 * 2

    with scheduler(keep=tmp_path) as run:
        pd.testing.assert_frame_equal(search(run, data), expected)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    other = cs.load_dataset("teacher", n_features=10, n_outputs=3, n_samples=301)
    with scheduler(keep=tmp_path) as run:
        search(run, other)
    assert len(list(tmp_path.iterdir())) == 2 * len(kept)  # another data set: nothing of the first is taken for it


SCRIPT = """
import sys
from pathlib import Path
from circuitsim.studies.scheduler import scheduler
from tests.studies.test_scheduler import JOBS, slowly
if __name__ == "__main__":
    with scheduler(keep=Path(sys.argv[1])) as run:
        run(slowly, JOBS, 0, lambda name, result: print(name, flush=True))
"""


def slowly(job: int, shared: int) -> bytes:
    time.sleep(0.05)
    return square(job, shared)


def test_a_search_that_is_killed_keeps_every_trial_that_it_has_told_of(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = {process.stdout.readline().strip() for _ in range(3)}
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert told <= {path.name for path in tmp_path.iterdir()} < set(JOBS)
    with scheduler(keep=tmp_path) as run:
        assert run(square, JOBS, 0) == EXPECTED
