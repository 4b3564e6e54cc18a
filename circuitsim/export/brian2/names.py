"""Validation of names that contain those of populations, projections, signals and phases, which Brian2 may not take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from brian2.equations.equations import Equations

from circuitsim.errors import CircuitError


def check_names(parts: Mapping[str, Iterable[str]]) -> None:
    """Check the names of groups and synapses, and those of their variables.

    Raises:
        CircuitError: Brian2 cannot use a name.
    """
    for owner, variables in parts.items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", owner):
            raise CircuitError(
                f"{owner!r}: Brian2 names begin with an ASCII letter, and have only these, digits and _; rename it"
            )
        for name in variables:
            reason = "Brian2 reserves the endings _pre and _post" if name.endswith(("_pre", "_post")) else ""
            try:
                Equations.check_identifier(name)
            except (ValueError, SyntaxError) as error:
                reason = str(error).rstrip(".")
            if reason:
                raise CircuitError(f"{owner!r}: Brian2 cannot have a variable {name!r} there: {reason}; rename it")
