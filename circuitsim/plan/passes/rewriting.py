"""Rewriting of programs, which the passes share: substitution of registers, and removal of what is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from circuitsim.plan.instructions import CHANGES, Body, Instruction, Operand, Register
from circuitsim.plan.program import Image, Program

Other = Mapping[Register, Register]


def without_dead_code(program: Program) -> Program:
    """Remove instructions that contribute neither to a result nor to a change of weights and states."""
    needed: set[Operand] = set(program.roots)
    found = [replace(region, instructions=live(region.instructions, needed)) for region in reversed(program.regions)]
    return replace(program, regions=tuple(reversed(found)))


def live(instructions: Sequence[Instruction], needed: set[Operand]) -> tuple[Instruction, ...]:
    """The instructions that are `needed`, to which what they read is added."""
    found = []
    for i in reversed(instructions):
        if i.out in needed or i.op in CHANGES:
            needed.update(i.reads)
            found.append(i)
    return tuple(reversed(found))


def rewritten(program: Program, change: Callable[[Instruction], Iterable[Instruction]], other: Other) -> Program:
    """The program with each instruction replaced by those that `change` gives for it, in order.

    Instructions and results read the registers in `other`, which `change` may add to, in place of those that they read.
    """
    regions = [
        replace(region, instructions=tuple(new for i in region.instructions for new in change(_reading(i, other))))
        for region in program.regions
    ]

    def now(register: Register | None) -> Any:
        return None if register is None else other.get(register, register)

    return replace(
        program,
        regions=tuple(regions),
        readable={name: now(r) for name, r in program.readable.items()},
        images={name: Image(now(i.matrix), now(i.base), now(i.scale)) for name, i in program.images.items()},
        losses={name: now(r) for name, r in program.losses.items()},
        loss=now(program.loss),
    )


def _reading(i: Instruction, other: Other) -> Instruction:
    if not any(register in other for register in i.reads):
        return i
    options = tuple(_body(option, other) if isinstance(option, Body) else option for option in i.options)
    return Instruction(i.op, i.out, _operands(i.args, other), options)


def _body(body: Body, other: Other) -> Body:
    (result,) = _operands((body.result,), other)
    return Body(tuple(_reading(i, other) for i in body.instructions), result)


def _operands(args: tuple[Operand, ...], other: Other) -> tuple[Operand, ...]:
    return tuple(other.get(a, a) if isinstance(a, Register) else a for a in args)
