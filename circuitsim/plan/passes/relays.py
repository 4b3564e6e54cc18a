"""Read a neuron in place of its relay: a current that synapses of weight 1 deliver one to one needs no product."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from circuitsim.plan.instructions import Register, Synapses
from circuitsim.plan.passes.substitution import reading, with_roots
from circuitsim.plan.program import Program


def without_relays(program: Program, relays: Collection[str]) -> Program:
    """Replace the currents of relays by what they relay.

    Args:
        program: the program, which is not changed.
        relays: projections with one synapse for each neuron, all of weight 1, which no step changes.
    """
    same: dict[Register, Register] = {}
    given = {*program.given.inputs.values(), *program.given.targets.values()}  # may be overwritten after the step
    regions = []
    for region in program.regions:
        lines = []
        for instruction in region.instructions:
            i = reading(instruction, same)
            if i.op == "current" and isinstance(synapses := i.options[0], Synapses) and synapses.projection in relays:
                base = i.args[1]
                assert isinstance(base, Register)
                if (base.space, base.batch) == (i.out.space, i.out.batch) and base not in given:
                    same[i.out] = base
                    continue
            lines.append(i)
        regions.append(replace(region, instructions=tuple(lines)))
    return with_roots(replace(program, regions=tuple(regions)), same)
