"""The exceptions that circuitsim raises.

Each one is a `CircuitError` and also the built-in exception that a caller would expect (`ValueError` or
`RuntimeError`), so both ``except cs.CircuitError`` and ``except ValueError`` work. Messages name the object and the
value, and say what to do.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGE = f"{Path(__file__).parent}{os.sep}"


class CircuitError(Exception):
    """The base class of all circuitsim errors."""


class MotifError(CircuitError, ValueError):
    """A declaration is invalid. `faults` holds one message for each fault."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        lead = "" if len(self.faults) == 1 else f"{len(self.faults)} faults:\n  - "
        super().__init__(lead + "\n  - ".join(self.faults))


class RuleError(CircuitError, ValueError):
    """An expression of the rule language is invalid.

    Attributes:
        column: the 1-based column of the fault, or None.
        name: the unknown name, or None.
    """

    def __init__(self, message: str, column: int | None = None, name: str | None = None) -> None:
        self.column = column
        self.name = name
        super().__init__(message)


class DataError(CircuitError, ValueError):
    """Data have a wrong shape, type or value, or the files of a data set are missing or damaged."""


class ParameterError(CircuitError, ValueError):
    """An argument is out of range, or names something that does not exist."""


class AnalysisError(CircuitError, ValueError):
    """A quantity is undefined for the given values."""


class ArchiveError(CircuitError, RuntimeError):
    """A file cannot be written, or a saved file is missing, damaged, invalid, or of an unknown version."""


def check_kind(owner: str, value: Any, kind: type, advice: str) -> None:
    """Check the type of the first argument of a function."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ParameterError(f"{owner} takes {article} {kind.__name__} (got {type(value).__name__}); {advice}")


class UnscaledInputWarning(UserWarning):
    """Inputs look like pixels from 0 to 255, whereas circuits learn at their usual rates from numbers around 1."""


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning that points to the line outside this package which led to it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_of_pixels(owner: str, largest: float, of_bytes: bool) -> None:
    """Issue an `UnscaledInputWarning` if inputs reach 255, or 100 if they are bytes, since few images are so dark."""
    if largest == 255 or (of_bytes and largest >= 100):
        warn(
            f"{owner} reaches {largest:g}, like the pixels of an image: divide it by 255, or standardise it, for "
            "numbers around 1",
            UnscaledInputWarning,
        )


class SimulationDiverged(CircuitError, RuntimeError):
    """The weights or the loss of a replica diverged.

    Attributes:
        projection: the name of the first projection found to diverge, or None if only the loss did.
        replica: the index of the replica.
        step: the number of steps that the circuit had done.
    """

    def __init__(self, message: str, *, projection: str | None, replica: int, step: int) -> None:
        self.projection = projection
        self.replica = replica
        self.step = step
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling, which by default would lose the keyword arguments."""
        made = functools.partial(type(self), projection=self.projection, replica=self.replica, step=self.step)
        return made, self.args, self.__dict__
