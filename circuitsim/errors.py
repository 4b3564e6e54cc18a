"""Every error that circuitsim raises on purpose.

Each kind is a `CircuitError` and also the built-in error that a caller would expect (`ValueError`,
`TypeError`, `RuntimeError`), so both ``except cs.CircuitError`` and ``except ValueError`` work.
Messages name the object and the value, and say what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class CircuitError(Exception):
    """Base of all circuitsim errors."""


class MotifError(CircuitError, ValueError):
    """A declaration is faulty. `faults` holds one message per fault, all found in one pass."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        lead = "" if len(self.faults) == 1 else f"{len(self.faults)} faults:\n  - "
        super().__init__(lead + "\n  - ".join(self.faults))


class RuleError(CircuitError, ValueError):
    """An expression of the rule language cannot be read.

    Attributes:
        column: where, 1-based, or None.
        name: the unknown name, or None.
    """

    def __init__(self, message: str, column: int | None = None, name: str | None = None) -> None:
        self.column = column
        self.name = name
        super().__init__(message)


class DataError(CircuitError, ValueError):
    """Data has a wrong shape, type or value, or a data set cannot be found."""


class ParameterError(CircuitError, ValueError):
    """An argument of a call is out of range or names something that does not exist."""


class AnalysisError(CircuitError, ValueError):
    """A quantity is not defined for the values given."""


class ArchiveError(CircuitError, RuntimeError):
    """A file cannot be written, or a saved circuit is missing, truncated, forged, or from another version."""


class SimulationDiverged(CircuitError, RuntimeError):
    """Weights or losses ran away.

    Attributes:
        projection: name of the first projection seen to run away (None when only the loss did).
        replica: index of the replica.
        step: number of steps that the circuit had done.
    """

    def __init__(self, message: str, *, projection: str | None, replica: int, step: int) -> None:
        self.projection = projection
        self.replica = replica
        self.step = step
        super().__init__(message)
