"""Fuse two elementwise operations into one, so that the first needs no array and no pass of its own.

A gate and the comparison that opens it become ``[x > c] value``. ReLU's slope is such a comparison, and most rules read
it as a factor. If c is not negative, ``relu(x) > c`` is equivalent to ``x > c``, so the drive is not needed either.

An addition and the multiplication by a number that it reads become ``a + c b``. Leaky activations and states are such
sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeGuard

from circuitsim.plan.instructions import Body, Instruction, Operand, Register
from circuitsim.plan.passes.rewriting import live, without_dead_code
from circuitsim.plan.program import Program

Multiples = dict[Operand, tuple[Register, float]]  # register -> the register and the number whose product it is


def fuse_gates(program: Program) -> Program:
    comparisons = {i.out: i.args for i in program.instructions if i.op == "greater" and i.out.batch}
    rectified: dict[Register, Register] = {}  # drive -> activity, once the activity is computed

    def fused(i: Instruction) -> Instruction:
        if i.op == "relu" and isinstance(i.args[0], Register):
            rectified.setdefault(i.args[0], i.out)
        if i.op != "gate" or i.args[1] not in comparisons:
            return i
        value, (x, threshold) = i.args[0], comparisons[i.args[1]]
        if not (isinstance(value, Register) and isinstance(x, Register)) or isinstance(threshold, Register):
            return i
        if value.space != x.space or not value.batch:
            return i
        return Instruction("gate_above", i.out, (value, rectified.get(x, x) if threshold >= 0 else x, threshold))

    regions = tuple(replace(r, instructions=tuple(map(fused, r.instructions))) for r in program.regions)
    return without_dead_code(replace(program, regions=regions))


def fuse_sums(program: Program) -> Program:
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
    return Body(live([*_fused(body.instructions, {})], {body.result}), body.result)


def _is_array(value: Operand) -> TypeGuard[Register]:
    return isinstance(value, Register) and not value.is_scalar
