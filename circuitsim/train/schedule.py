"""Learning-rate schedules: what multiplies every `eta` of every rule, as a function of progress in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable

from circuitsim.errors import ParameterError

Schedule = Callable[[float], float]

NAMED: dict[str, Schedule] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),  # to zero over the run
}


def _checked(schedule: Schedule) -> Schedule:
    def checked(progress: float) -> float:
        found = schedule(progress)
        try:
            scale = float(found)
        except (TypeError, ValueError):
            scale = math.nan
        if not math.isfinite(scale):
            raise ParameterError(f"schedule must give finite numbers (got {found!r} at progress {progress:g})")
        return scale

    return checked


def as_schedule(schedule: str | Schedule | None) -> Schedule:
    """The function that a schedule stands for.

    Raises:
        ParameterError: an unknown name; later, a value that is no finite number.
    """
    if schedule is None:
        return NAMED["constant"]
    if callable(schedule):
        return _checked(schedule)
    if schedule not in NAMED:
        raise ParameterError(f"schedule must be None, one of {list(NAMED)} or a function (got {schedule!r})")
    return NAMED[schedule]
