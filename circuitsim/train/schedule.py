"""Learning-rate schedules are functions of progress in [0, 1] that multiply every `eta` of every rule."""

from __future__ import annotations

import math
from collections.abc import Callable

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.motif.expressions import expressions_of
from circuitsim.rules.vocabulary import local

Schedule = Callable[[float], float]

NAMED: dict[str, Schedule] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),  # falls to zero over the run
}


def _checked(schedule: Schedule) -> Schedule:
    def checked(progress: float) -> float:
        found = schedule(progress)
        try:
            scale = float(found)
        except (TypeError, ValueError):
            scale = math.nan
        if not math.isfinite(scale):
            raise ParameterError(f"schedule must return finite numbers (got {found!r} at progress {progress:g})")
        return scale

    return checked


def values_of(schedule: Schedule) -> list[float]:
    """The values of a schedule at 20 points of progress, by which two schedules can be compared."""
    return [round(schedule(k / 20), 6) for k in range(20)]


def check_reach(circuit: Circuit, schedule: str | Schedule | None) -> None:
    """Refuse a schedule that changes nothing, because no rule of a projection that learns reads a parameter `eta`."""
    if schedule in (None, "constant"):
        return
    learning = dict.fromkeys(p.name for plan in circuit.plans for p in plan.plastic())
    names = {name: _parameters_read(circuit, name) for name in learning}
    if not any("eta" in parameters for parameters in names.values()):
        found = "; ".join(f"{name}: {', '.join(parameters) or 'none'}" for name, parameters in names.items())
        raise ParameterError(
            f"schedule {schedule!r} multiplies parameters called eta, but no projection of {circuit.motif.name!r} that "
            f"learns has one (parameters of those that learn: {found or 'nothing learns'}): call the rate eta in the "
            "rule, or leave the schedule out"
        )


def _parameters_read(circuit: Circuit, projection: str) -> list[str]:
    """The names of the parameters that a projection's rule reads."""
    read = expressions_of(circuit.motif).rule[projection].free_symbols
    return sorted(name for name in circuit.parameters(projection) if local(name) in read)


def as_schedule(schedule: str | Schedule | None) -> Schedule:
    """Return the function that a schedule stands for, which refuses values that are not finite."""
    if schedule is None:
        return NAMED["constant"]
    if callable(schedule):
        return _checked(schedule)
    if not isinstance(schedule, str) or schedule not in NAMED:
        raise ParameterError(f"schedule must be None, one of {list(NAMED)} or a function (got {schedule!r})")
    return NAMED[schedule]
