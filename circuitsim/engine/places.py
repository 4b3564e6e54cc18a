"""A list of calls of torch, with slots for the few arguments that change from step to step.

A program is lowered to a list of calls whose buffers are allocated. Slots stand for inputs and targets, for numbers
that schedules change, and for decay factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda t: t,
    "rows": lambda t: t[0],  # [B, n] of [1, B, n]
    "columns": lambda t: t[0].T,  # [n, B]
    "turned": lambda t: t.transpose(1, 2),
    "flat": lambda t: (t.transpose(1, 2) if t.transpose(1, 2).is_contiguous() else t).reshape(-1),  # in memory order
}


class Slot:
    """A value that changes, and the arguments that take it."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.places: list[tuple[Any, Any]] = []  # a list or dict of arguments, with an index or key

    def set(self, value: Any) -> None:
        """Write a value into the arguments."""
        self.value = value
        for container, key in self.places:
            container[key] = value


class Calls:
    """A list of functions with their arguments."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], list[Any], dict[str, Any]]] = []

    def add(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Add one call; its arguments may be slots."""
        listed = list(args)
        containers: list[tuple[Any, Any]] = [(listed, range(len(listed))), (options, list(options))]
        for container, keys in containers:
            for key in keys:
                if isinstance(slot := container[key], Slot):
                    slot.places.append((container, key))
                    container[key] = slot.value
        self.calls.append((function, listed, options))

    def run(self) -> None:
        for function, args, options in self.calls:
            function(*args, **options)
