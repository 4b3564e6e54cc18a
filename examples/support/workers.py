"""Connection to a Dask scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import circuitsim as cs


@contextlib.contextmanager
def client(address: str) -> Iterator[Any]:
    """Connect to a Dask scheduler and yield a client, whose `submit` runs a function on a worker.

    Args:
        address: the address (``tcp://host:8786``) or the scheduler file (``.json``) of a running scheduler, or "local"
            to start a cluster on this machine's cores.
    Raises:
        ParameterError: dask is not installed, or no scheduler answers at the address.
    """
    try:
        from dask import distributed
    except ImportError:
        raise cs.ParameterError(
            f"scheduler {address!r} needs dask, which is not installed: pip install 'circuitsim[dask]'"
        ) from None
    dask: Any = distributed  # dask has no type annotations
    with contextlib.ExitStack() as stack:
        there: Any = address
        if address == "local":  # one core per worker, because the work is pure arithmetic
            there = stack.enter_context(dask.LocalCluster(threads_per_worker=1, dashboard_address=None))
        place = {"scheduler_file" if address.endswith(".json") else "address": there}
        try:
            found = dask.Client(**place)
        except (OSError, ValueError, TimeoutError) as error:
            raise cs.ParameterError(
                f"no Dask scheduler answers at {address!r} ({error}): start one, or say 'local'"
            ) from None
        yield stack.enter_context(found)
