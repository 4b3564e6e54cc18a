"""A list of calls of torch, with placeholders for the few arguments that change from step to step.

A program is lowered to a list of calls whose buffers are allocated. Placeholders stand for inputs and targets, for
numbers that schedules change, and for decay factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from circuitsim.plan import Register

Container = Any  # a list or a dict of arguments
View = Callable[[Tensor], Tensor]

VIEWS: dict[str, View] = {
    "": lambda t: t,
    "rows": lambda t: t[0],  # [B, n] of [1, B, n]
    "columns": lambda t: t[0].T,  # [n, B]
    "turned": lambda t: t.transpose(1, 2),
    "flat": lambda t: (t.transpose(1, 2) if t.transpose(1, 2).is_contiguous() else t).reshape(-1),  # in memory order
}


@dataclass(frozen=True)
class GivenView:
    """A placeholder for a view of an input or target.

    Args:
        register: the register of the input or target.
        view: one of `VIEWS`.
        replicas: the number of replicas to which the view is expanded; 0 if it is not expanded.
    """

    register: Register
    view: str
    replicas: int = 0


@dataclass(frozen=True)
class Number:
    """A placeholder for a scalar that all replicas share, times a factor."""

    register: Register
    factor: float = 1.0


@dataclass(eq=False)
class DecayFactor:
    """A placeholder for the factor that multiplies decaying weights, which is computed at every step."""

    places: list[tuple[Container, Any]] = field(default_factory=list)
    value: float = 1.0

    def set(self, value: float) -> None:
        """Write the value into the arguments."""
        self.value = value
        for container, key in self.places:
            container[key] = value


@dataclass
class Calls:
    """A list of calls.

    Attributes:
        calls: functions with their arguments.
        given: the arguments that take each view of an input or target.
        numbers: the arguments that take numbers.
    """

    calls: list[tuple[Callable[..., Any], list[Any], dict[str, Any]]] = field(default_factory=list)
    given: dict[GivenView, list[tuple[Container, Any]]] = field(default_factory=dict)
    numbers: list[tuple[Container, Any, Number]] = field(default_factory=list)

    def add(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Add one call; its arguments may be placeholders."""
        listed = list(args)
        for container, keys in ((listed, range(len(listed))), (options, list(options))):
            for key in keys:
                value = container[key]  # type: ignore[index]
                if isinstance(value, GivenView):
                    self.given.setdefault(value, []).append((container, key))
                elif isinstance(value, Number):
                    self.numbers.append((container, key, value))
                elif isinstance(value, DecayFactor):
                    value.places.append((container, key))
        self.calls.append((function, listed, options))

    def give(self, tensors: Mapping[Register, Tensor]) -> None:
        """Write inputs and targets into the arguments."""
        for given, places in self.given.items():
            tensor = VIEWS[given.view](tensors[given.register])
            if given.replicas:
                tensor = tensor.expand(given.replicas, -1, -1)
            for container, key in places:
                container[key] = tensor

    def set_numbers(self, scalars: Mapping[Register, Any], fitting: Callable[[float], float]) -> None:
        """Write numbers into the arguments."""
        for container, key, number in self.numbers:
            container[key] = fitting(float(scalars[number.register]) * number.factor)

    def run(self) -> None:
        """Run all calls."""
        for function, args, options in self.calls:
            function(*args, **options)
