"""Read a neuron in place of its relay: a current that synapses of weight 1 deliver one to one needs no product."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from circuitsim.plan.instructions import Instruction, Register, Synapses
from circuitsim.plan.passes.rewriting import rewritten
from circuitsim.plan.program import Program


def without_relays(program: Program, relays: Collection[str]) -> Program:
    """Replace the currents of relays, projections of one synapse for each neuron, all of weight 1 and never changed."""
    same: dict[Register, Register] = {}
    given = program.given.registers

    def direct(i: Instruction) -> Iterator[Instruction]:
        if i.op == "current" and isinstance(synapses := i.options[0], Synapses) and synapses.projection in relays:
            _, base = i.registers
            if (base.space, base.batch) == (i.out.space, i.out.batch) and base not in given:
                same[i.out] = base
                return
        yield i

    return rewritten(program, direct, same)
