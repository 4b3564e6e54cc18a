"""Do not keep large currents that can be recomputed, so that the next operation can overwrite them.

After a step, ``I = W y`` can be recomputed from y and the W before its change. A step may therefore write the
activity ``relu(W y)`` over the drive, and a gated current over the current, unless the current was asked for. The
numbers are the same, in half as many buffers, which then fit into the processor's cache.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from circuitsim.plan.instructions import Instruction, Register
from circuitsim.plan.passes.reassociation import Sizes, clipped_weights
from circuitsim.plan.program import Image, Program
from circuitsim.rules.elementwise import ELEMENTWISE

LARGE = 2**14  # numbers from which saving a buffer pays; smaller ones are in the cache anyway


def rematerialize(program: Program, sizes: Sizes, kept: Collection[str] = ()) -> Program:
    """Replace large currents that can be overwritten by `images`, unless they are `kept` ("*" stands for all)."""
    if "*" in kept:
        return program
    names = defaultdict(list)
    for name, register in program.readable.items():
        names[register].append(name)
    readers = program.readers
    clipped = clipped_weights(program)
    wanted = {*program.losses.values(), program.loss}
    images = dict(program.images)
    for i in program.instructions:
        known = names[i.out]
        if not (known and i.is_dense_current and is_written_over(i.out, readers[i.out])):
            continue
        matrix, base = i.registers
        is_large = sizes.replicas * sizes.batch * i.out.size >= LARGE
        # the caller may overwrite its inputs after the step; activities must stay readable
        is_safe = base not in program.given.registers and matrix not in clipped and i.out not in wanted
        if is_large and is_safe and not any(name in kept or name.endswith(".activity") for name in known):
            images |= dict.fromkeys(known, Image(matrix, base))
    readable = {name: register for name, register in program.readable.items() if name not in images}
    return replace(program, readable=readable, images=images)


def is_written_over(register: Register, readers: Sequence[Instruction]) -> bool:
    """Whether the last instruction that reads a register can write its result into the register's memory."""
    if not readers:
        return False
    last = readers[-1]
    return last.op in ELEMENTWISE and (last.out.space, last.out.batch) == (register.space, register.batch)
