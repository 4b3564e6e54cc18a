"""Numbers that hang on parameters: a tape that was recorded at one learning rate can be played at another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Parameters = Mapping[str, Any]  # by path, such as "W0.eta"


class Number(float):
    """A float that can compute itself again.

    Args:
        value: what it is now.
        again: parameters -> what it is with these.
    """

    again: Callable[[Parameters], float]

    def __new__(cls, value: float, again: Callable[[Parameters], float]) -> Number:
        number = super().__new__(cls, value)
        number.again = again
        return number

    def __truediv__(self, divisor: float) -> Number:
        return Number(float(self) / divisor, lambda parameters: self.again(parameters) / divisor)


def parameter(path: str, value: float) -> Number:
    """A parameter itself."""
    return Number(value, lambda parameters: float(parameters[path]))


def within(value: float, largest: float) -> float:
    """The number, or infinity where it is larger than a type can hold; a `Number` stays one."""

    def held(value: float) -> float:
        return value if abs(value) <= largest or value != value else math.copysign(math.inf, value)

    if isinstance(value, Number):
        return Number(held(float(value)), lambda parameters: held(value.again(parameters)))
    return held(value)


def computed(function: Callable[..., float], values: Sequence[Any]) -> float:
    """``function(*values)``; a `Number` where one of the values is."""
    result = function(*values)
    if not any(isinstance(value, Number) for value in values):
        return result

    def again(parameters: Parameters) -> float:
        return function(*(v.again(parameters) if isinstance(v, Number) else v for v in values))

    return Number(result, again)
