"""Run independent jobs here, or on the workers of a Dask scheduler, and never lose one that has finished.

A job is an entry of a mapping name -> anything that pickle takes; a function of the job gives bytes. So what comes
back can be kept in a file as it is, and read again without unpickling anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from circuitsim.errors import ParameterError
from circuitsim.files import remove_parts, write_atomically

Function = Callable[[Any, Any], bytes]  # of a job, and of what all jobs share
Finished = Callable[[str, bytes], None]
Run = Callable[[Function, Mapping[str, Any], Any, Finished], dict[str, bytes]]


def nothing(name: str, result: bytes) -> None:
    """What to do with a finished job, where there is nothing to do."""


def run_here(
    function: Function, jobs: Mapping[str, Any], shared: Any, finished: Finished = nothing
) -> dict[str, bytes]:
    """Run the jobs one after the other in this process.

    Args:
        function: ``function(job, shared)``; importable by name where workers are to run it.
        jobs: by name.
        shared: what all jobs need, such as a data set; it travels to a worker once.
        finished: called with name and result as soon as a job is done.
    Returns:
        The results by name, in the order of the jobs.
    """
    results = {}
    for name, job in jobs.items():
        results[name] = function(job, shared)
        finished(name, results[name])
    return results


@contextlib.contextmanager
def scheduler(address: str | None = None, keep: Path | None = None) -> Iterator[Run]:
    """Where jobs run, in the form of `run_here`.

    Args:
        address: None: in this process; "local": on a Dask cluster of this machine's cores, made here; otherwise the
            address (``tcp://host:8786``) or the scheduler file (``.json``) of a Dask scheduler that is running.
        keep: a folder in which finished jobs are kept by name; those that are there already are not run again.
    Raises:
        ParameterError: dask is not installed, or no scheduler answers at the address.
        ArchiveError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        run = run_here if address is None else _on_workers(stack.enter_context(_client(address)))
        yield run if keep is None else _remembering(run, keep)


def _remembering(run: Run, folder: Path) -> Run:
    def run_the_rest(
        function: Function, jobs: Mapping[str, Any], shared: Any, finished: Finished = nothing
    ) -> dict[str, bytes]:
        results = {}
        for name in jobs:
            remove_parts(folder / name)
            if (folder / name).exists():
                results[name] = (folder / name).read_bytes()
                finished(name, results[name])

        def write(name: str, result: bytes) -> None:
            write_atomically(folder / name, result)
            finished(name, result)

        results |= run(function, {name: job for name, job in jobs.items() if name not in results}, shared, write)
        return {name: results[name] for name in jobs}

    return run_the_rest


def _on_workers(client: Any) -> Run:
    """Dask gives a job whose worker died to another one; it gives up on a job with which four workers died."""
    from dask import distributed

    dask: Any = distributed  # it has no types

    def run(function: Function, jobs: Mapping[str, Any], shared: Any, finished: Finished = nothing) -> dict[str, bytes]:
        if not jobs:
            return {}
        # a task, and not data that is sent to some worker: those that die with it can be had again
        common = client.submit(_same, shared, pure=False)
        futures = {client.submit(function, job, common, pure=False): name for name, job in jobs.items()}
        results = {}
        for future in dask.as_completed(futures):
            name = futures[future]
            results[name] = future.result()
            finished(name, results[name])
            future.release()
        return {name: results[name] for name in jobs}

    return run


def _same(value: Any) -> Any:
    return value


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from dask import distributed
    except ImportError:
        raise ParameterError(
            f"scheduler {address!r} needs dask, which is not installed: pip install 'circuitsim[dask]'"
        ) from None
    dask: Any = distributed  # it has no types
    with contextlib.ExitStack() as stack:
        there: Any = address
        if address == "local":
            # a core a worker: jobs are arithmetic from end to end
            there = stack.enter_context(dask.LocalCluster(threads_per_worker=1, dashboard_address=None))
        place = {"scheduler_file" if address.endswith(".json") else "address": there}
        try:
            client = dask.Client(**place)
        except (OSError, ValueError, TimeoutError) as error:
            raise ParameterError(
                f"no Dask scheduler answers at {address!r} ({error}): start one, or say 'local'"
            ) from None
        yield stack.enter_context(client)
