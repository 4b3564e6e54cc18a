"""Timing in interleaved rounds, so that a slow period of the machine affects all contestants equally."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

WARM_UP = 4  # calls that are not counted, while buffers are allocated and JIT compilers run
PATIENCE = 1.0  # seconds after which the warm-up ends, if there were two calls
BLOCK = 0.05  # seconds that a contestant runs without interruption, with warm caches, as in a training loop

Contestants = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Spread:
    """The measurements of all rounds.

    Args:
        values: one value per round, in seconds or as a ratio.
    """

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def low(self) -> float:
        """The lower quartile."""
        return float(np.quantile(self.values, 0.25))

    @property
    def high(self) -> float:
        """The upper quartile."""
        return float(np.quantile(self.values, 0.75))

    def over(self, other: Spread) -> Spread:
        """The ratios to another's values within each round, in which effects that slow down both cancel."""
        return Spread(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))


def interleaved(contestants: Contestants, rounds: int) -> dict[str, Spread]:
    """Time each contestant once per round over a block of calls, in alternating order.

    Args:
        contestants: functions that do the same amount of work in every call, keyed by name.
        rounds: the number of rounds.
    Returns:
        The seconds per call, keyed by name.
    """
    n_calls = {name: max(1, round(BLOCK / _warm(function))) for name, function in contestants.items()}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for k in range(rounds):
        for name in list(contestants)[:: -1 if k % 2 else 1]:
            function = contestants[name]
            if n_calls[name] > 1:
                function()  # refill the caches after the other contestants
            found[name].append(_seconds(function, n_calls[name]))
    return {name: Spread(tuple(seconds)) for name, seconds in found.items()}


def repeated(function: Callable[[], object], rounds: int) -> Spread:
    """Time one function alone, once per round, after one call that is not counted.

    Args:
        function: the function to call.
        rounds: the number of rounds.
    Returns:
        The seconds per call.
    """
    function()
    return Spread(tuple(_seconds(function, 1) for _ in range(rounds)))


def _warm(function: Callable[[], object]) -> float:
    """Warm up, and return the seconds of the fastest call."""
    seconds: list[float] = []
    while len(seconds) < WARM_UP and (len(seconds) < 2 or sum(seconds) < PATIENCE):
        seconds.append(_seconds(function, 1))
    return min(seconds)


def _seconds(function: Callable[[], object], n_calls: int) -> float:
    """The mean seconds per call."""
    _wait()
    start = time.perf_counter()
    for _ in range(n_calls):
        function()
    _wait()
    return (time.perf_counter() - start) / n_calls


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
