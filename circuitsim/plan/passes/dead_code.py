"""Remove instructions that contribute neither to a result of the program nor to a change of weights and states."""

from __future__ import annotations

from dataclasses import replace

from circuitsim.plan.instructions import CHANGES, Register
from circuitsim.plan.program import Program


def without_dead_code(program: Program) -> Program:
    """Remove instructions whose values are never used."""
    needed: set[Register] = set(program.roots)
    regions = []
    for region in reversed(program.regions):
        lines = []
        for i in reversed(region.instructions):
            if i.out in needed or i.op in CHANGES:
                needed.update(i.reads)
                lines.append(i)
        regions.append(replace(region, instructions=tuple(reversed(lines))))
    return replace(program, regions=tuple(reversed(regions)))
