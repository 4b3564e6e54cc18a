"""Timing in interleaved rounds, so that a slow moment of the machine hits all contestants alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

WARM_UP = 3  # calls that are not counted: buffers are made, JIT compilers compile
BLOCK = 0.05  # seconds that a contestant keeps the machine for, as a training loop does: caches are warm in between


@dataclass(frozen=True)
class Timing:
    """Seconds over rounds.

    Args:
        median, low, high: the median and the quartiles.
    """

    median: float
    low: float
    high: float


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Time each contestant once a round, in turn, over a block of calls.

    Args:
        contestants: by name, functions that do the same amount of work at every call.
        rounds: how many are counted.
    Returns:
        Seconds a call.
    """
    n_calls = {}
    for name, function in contestants.items():
        seconds = min(_seconds(function, 1) for _ in range(WARM_UP + 1))
        n_calls[name] = max(1, round(BLOCK / seconds))
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            function()  # brings back into the caches what the others drove out
            found[name].append(_seconds(function, n_calls[name]))
    return {name: Timing(*(float(q) for q in np.quantile(s, [0.5, 0.25, 0.75]))) for name, s in found.items()}


def _seconds(function: Callable[[], object], n_calls: int) -> float:
    """Of one call, on average over some."""
    _wait()
    start = time.perf_counter()
    for _ in range(n_calls):
        function()
    _wait()
    return (time.perf_counter() - start) / n_calls


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
