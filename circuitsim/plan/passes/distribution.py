"""Distribute each batch over processes, so that every batch mean becomes a sum over processes.

Each process has its own samples and divides its sums by the size of the whole batch; an ``all_reduce`` then adds up the
parts. Instructions that do not combine samples stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from circuitsim.plan.instructions import Instruction, Register
from circuitsim.plan.passes.rewriting import rewritten
from circuitsim.plan.program import Program

MEANS = frozenset({"outer", "batch_mean", "mean", "mean_square", "loss", "sample_mean"})


def distribute(program: Program) -> Program:
    total: dict[Register, Register] = {}

    def summed(i: Instruction) -> Iterator[Instruction]:
        yield i
        if i.op in MEANS:
            total[i.out] = Register(f"{i.out.name} of all", i.out.space, i.out.batch)
            yield Instruction("all_reduce", total[i.out], (i.out,))

    return rewritten(program, summed, total)
