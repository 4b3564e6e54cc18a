"""Fuse a gate with the comparison that opens it into one operation, ``[x > c] value``.

ReLU's slope is such a comparison, and most rules read it as a factor. With the fused operation the slope needs no array
of its own. If c is not negative, ``relu(x) > c`` is equivalent to ``x > c``, so the drive is not needed either.
"""

from __future__ import annotations

from dataclasses import replace

from circuitsim.plan.instructions import Instruction, Register
from circuitsim.plan.passes.dead_code import without_dead_code
from circuitsim.plan.program import Program


def fuse_gates(program: Program) -> Program:
    """Fuse gates with their comparisons."""
    comparisons = {i.out: i.args for i in program.instructions if i.op == "greater" and i.out.batch}
    rectified: dict[Register, Register] = {}  # drive -> activity, once the activity is computed

    def fused(i: Instruction) -> Instruction:
        if i.op == "relu" and isinstance(i.args[0], Register):
            rectified.setdefault(i.args[0], i.out)
        if i.op != "gate" or not isinstance(i.args[1], Register) or i.args[1] not in comparisons:
            return i
        value, (x, threshold) = i.args[0], comparisons[i.args[1]]
        if not (isinstance(value, Register) and isinstance(x, Register)) or isinstance(threshold, Register):
            return i
        if value.space != x.space or not value.batch:
            return i
        return Instruction("gate_above", i.out, (value, rectified.get(x, x) if threshold >= 0 else x, threshold))

    regions = tuple(replace(r, instructions=tuple(map(fused, r.instructions))) for r in program.regions)
    return without_dead_code(replace(program, regions=regions))
