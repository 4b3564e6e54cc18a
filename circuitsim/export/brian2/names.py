"""Validation of names that contain those of populations, projections, signals and phases, which Brian2 may not take."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brian2.equations.equations import Equations

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.transcript import Transcript


def check_names(transcript: Transcript) -> None:
    """Check every name.

    Raises:
        CircuitError: Brian2 cannot use a name.
    """
    for owner in transcript.parts:
        check_owner(owner)
    for group in transcript.groups.values():
        check_variables(group.name, [*group.variables, *group.shared, *group.links])
    for wiring in transcript.wirings.values():
        check_variables(wiring.name, [*wiring.variables, *wiring.parameters])


def check_owner(name: str) -> None:
    """Raise a CircuitError if no Brian2 object can have this name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise CircuitError(f"{name!r}: Brian2 names have only ASCII letters, digits and _; rename it")


def check_variables(owner: str, names: Iterable[str]) -> None:
    """Raise a CircuitError if Brian2 cannot have one of these variables."""
    for name in names:
        reason = "Brian2 reserves the endings _pre and _post" if name.endswith(("_pre", "_post")) else ""
        try:
            Equations.check_identifier(name)
        except (ValueError, SyntaxError) as error:
            reason = str(error).rstrip(".")
        if reason:
            raise CircuitError(f"{owner!r}: Brian2 cannot have a variable {name!r} there: {reason}; rename it")
