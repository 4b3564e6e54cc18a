"""Names stand in the network as they do in the motif, so that it can be read beside it, or not at all."""

from __future__ import annotations

import re

from brian2.equations.equations import Equations

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.transcript import Transcript

RESERVED = {"where", "start", "i", "j", "N"}


def check_names(transcript: Transcript) -> None:
    """Check every name.

    Raises:
        CircuitError: one that Brian2 cannot use, or means something else by.
    """
    for owner in transcript.parts:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", owner):
            raise CircuitError(f"{owner!r}: Brian2 takes names of ASCII letters, digits and _ alone; rename it")
    for group in transcript.groups.values():
        for name in [*group.variables, *group.shared, *group.links]:
            _check_name(group.name, name, RESERVED)
    for wiring in transcript.wirings.values():
        ends = [transcript.groups[end] for end in (wiring.pre, wiring.post) if end in transcript.groups]
        for name in wiring.variables:
            _check_name(wiring.name, name, RESERVED.union(*([*end.variables, *end.links] for end in ends)))
        for name in wiring.parameters:
            _check_name(wiring.name, name, RESERVED.union(wiring.variables, *([*e.variables, *e.links] for e in ends)))


def _check_name(owner: str, name: str, taken: set[str]) -> None:
    reason = "the export needs it for something else" if name in taken or name.startswith(("asked_", "new_")) else ""
    reason = "its end means something else there" if name.endswith(("_pre", "_post")) else reason
    try:
        Equations.check_identifier(name)
    except (ValueError, SyntaxError) as error:
        reason = str(error).rstrip(".")
    if reason:
        raise CircuitError(f"{owner!r}: Brian2 cannot have a variable {name!r} there: {reason}; rename it")
