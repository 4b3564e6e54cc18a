"""Fuse the addition of a multiple, ``a + c b`` with a number c, into one operation.

Leaky activations and states are such sums. The multiple needs no array and no pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeGuard

from circuitsim.plan.instructions import Body, Instruction, Operand, Register
from circuitsim.plan.passes.dead_code import without_dead_code
from circuitsim.plan.program import Program

Multiples = dict[Operand, tuple[Register, float]]  # register -> the register and the number whose product it is


def fuse_sums(program: Program) -> Program:
    """Fuse additions with the multiplications by numbers that they read."""
    multiples: Multiples = {}
    regions = tuple(replace(r, instructions=tuple(_fused(r.instructions, multiples))) for r in program.regions)
    return without_dead_code(replace(program, regions=regions))


def _fused(instructions: Iterable[Instruction], multiples: Multiples) -> Iterator[Instruction]:
    for i in instructions:
        if i.op == "multiply":
            for factor, value in (i.args, i.args[::-1]):
                if isinstance(factor, float) and _is_array(value):
                    multiples[i.out] = value, factor
        elif i.op == "add":
            for a, multiple in (i.args, i.args[::-1]):
                if _is_array(a) and multiple in multiples:
                    i = Instruction("add_multiple", i.out, (a, *multiples[multiple]))
                    break
        elif any(isinstance(option, Body) for option in i.options):
            i = replace(i, options=tuple(_in_body(o) if isinstance(o, Body) else o for o in i.options))
        yield i


def _in_body(body: Body) -> Body:
    needed, lines = {body.result}, []
    for i in reversed([*_fused(body.instructions, {})]):
        if i.out in needed:
            needed.update(i.reads)
            lines.append(i)
    return Body(tuple(reversed(lines)), body.result)


def _is_array(value: Operand) -> TypeGuard[Register]:
    return isinstance(value, Register) and not value.is_scalar
