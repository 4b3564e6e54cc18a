"""Compute nothing twice: common subexpressions, and currents that are known without a product.

Two instructions with the same operation and the same registers have the same value, because a register is written only
once and a changed weight has a new register. A batch mean ``E[a b^T]`` is also the transpose of ``E[b a^T]``, so that V
and Vt of a two-stream circuit share one.

A relay, a projection of one synapse for each neuron, all of weight 1 and never changed, delivers the activity itself.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator

from circuitsim.plan.instructions import CHANGES, Instruction, Register
from circuitsim.plan.passes.rewriting import rewritten
from circuitsim.plan.program import Program

FRESH = frozenset({"noise", "signal"})  # operations with a new value at every call


def share_common_subexpressions(program: Program) -> Program:
    known: dict[Hashable, Register] = {}
    same: dict[Register, Register] = {}

    def once(i: Instruction) -> Iterator[Instruction]:
        key = (i.op, i.args, i.options, i.out.space, i.out.batch)
        if i.op in CHANGES | FRESH:
            yield i
        elif key in known:
            same[i.out] = known[key]
        else:
            turned = known.get(_turned(i)) if i.op == "outer" else None
            yield i if turned is None else Instruction("turn", i.out, (turned,), (i.out.space,))
            known[key] = i.out

    return rewritten(program, once, same)


def without_relays(program: Program, relays: Collection[str]) -> Program:
    """Read a neuron in place of its relay."""
    same: dict[Register, Register] = {}

    def direct(i: Instruction) -> Iterator[Instruction]:
        if i.op == "current" and i.options[0].projection in relays:
            _, base = i.registers
            if (base.space, base.batch) == (i.out.space, i.out.batch) and base not in program.given.registers:
                same[i.out] = base
                return
        yield i

    return rewritten(program, direct, same)


def _turned(i: Instruction) -> Hashable:
    """The key of the same mean with its factors swapped."""
    turned = i.options[0].reversed
    return (i.op, i.args[::-1], (turned,), turned, i.out.batch)
