"""Substitution of registers, which several passes use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from circuitsim.plan.instructions import Body, Instruction, Operand, Register
from circuitsim.plan.program import Image, Program

Other = Mapping[Register, Register]


def reading(i: Instruction, other: Other) -> Instruction:
    """The instruction with its arguments substituted."""
    if not any(register in other for register in i.reads):
        return i
    options = tuple(_body(option, other) if isinstance(option, Body) else option for option in i.options)
    return Instruction(i.op, i.out, _operands(i.args, other), options)


def with_roots(program: Program, other: Other) -> Program:
    """The program with the registers of its results substituted."""

    def now(register: Register | None) -> Any:
        return None if register is None else other.get(register, register)

    return replace(
        program,
        readable={name: now(r) for name, r in program.readable.items()},
        images={name: Image(now(i.matrix), now(i.base), now(i.scale)) for name, i in program.images.items()},
        losses={name: now(r) for name, r in program.losses.items()},
        loss=now(program.loss),
    )


def _body(body: Body, other: Other) -> Body:
    (result,) = _operands((body.result,), other)
    return Body(tuple(reading(i, other) for i in body.instructions), result)


def _operands(args: tuple[Operand, ...], other: Other) -> tuple[Operand, ...]:
    return tuple(other.get(a, a) if isinstance(a, Register) else a for a in args)
