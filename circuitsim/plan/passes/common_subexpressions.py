"""Compute common subexpressions once.

Two instructions with the same operation and the same registers have the same value, because a register is written only
once and a changed weight has a new register. A batch mean ``E[a b^T]`` is also the transpose of ``E[b a^T]``, so that V
and Vt of a two-stream circuit share one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from circuitsim.plan.instructions import CHANGES, Instruction, Matrix, Register, Synapses
from circuitsim.plan.passes.substitution import reading, with_roots
from circuitsim.plan.program import Program

FRESH = frozenset({"noise", "signal"})  # operations with a new value at every call


def share_common_subexpressions(program: Program) -> Program:
    """Remove repeated computations.

    Args:
        program: the program, which is not changed.
    """
    known: dict[Hashable, Register] = {}
    same: dict[Register, Register] = {}
    regions = []
    for region in program.regions:
        lines = []
        for instruction in region.instructions:
            i = reading(instruction, same)
            key = (i.op, i.args, i.options, i.out.space, i.out.batch)
            if i.op in CHANGES | FRESH:
                lines.append(i)
            elif key in known:
                same[i.out] = known[key]
            elif i.op == "outer" and (turned := known.get(_turned(i))) is not None:
                lines.append(Instruction("turn", i.out, (turned,), (i.out.space,)))
                known[key] = i.out
            else:
                lines.append(i)
                known[key] = i.out
        regions.append(replace(region, instructions=tuple(lines)))
    return with_roots(replace(program, regions=tuple(regions)), same)


def _turned(i: Instruction) -> Hashable:
    """The key of the same mean with its factors swapped."""
    space = i.out.space
    if isinstance(space, Matrix):
        turned: Matrix | Synapses = Matrix(space.shape[::-1])
    else:
        assert isinstance(space, Synapses)
        turned = space.reversed
    return (i.op, i.args[::-1], (turned,), turned, i.out.batch)
