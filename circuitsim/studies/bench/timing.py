"""Timing in interleaved rounds, so that a slow moment of the machine hits all contestants alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

WARM_UP = 3  # rounds that are not counted: buffers are made, JIT compilers compile


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
    """Time each contestant once a round, in turn.

    Args:
        contestants: by name, functions that do the same amount of work at every call.
        rounds: how many are counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(WARM_UP + rounds):
        for name, function in contestants.items():
            _wait()
            start = time.perf_counter()
            function()
            _wait()
            if number >= WARM_UP:
                seconds[name].append(time.perf_counter() - start)
    return {
        name: Timing(*(float(q) for q in np.quantile(values, [0.5, 0.25, 0.75]))) for name, values in seconds.items()
    }


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
