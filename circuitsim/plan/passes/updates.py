"""Update weights in a single pass, ``w <- (1 - decay) w + rate a b``.

A rule that consists of a product and a decay needs no array for the product or the change. All changes of a region
start from the weights before any of them. If a factor of the product is itself a weight that changes in the region, its
change is therefore ordered after this one; if no such order exists, the product is computed first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from circuitsim.plan.instructions import CHANGES, Instruction, Matrix, Operand, Region, Register, Synapses
from circuitsim.plan.passes.rewriting import without_dead_code
from circuitsim.plan.program import Program

NARROW = 32  # inner columns up to which a matrix product is recomputed for each reader rather than stored


def update_in_place(program: Program) -> Program:
    """Accumulate products directly into the weights."""
    readers = Counter(register for i in program.instructions for register in i.reads)
    readers.update(program.roots)
    regions = tuple(replace(r, instructions=_Region(r, readers).instructions()) for r in program.regions)
    return without_dead_code(replace(program, regions=regions))


class _Region:
    def __init__(self, region: Region, readers: Counter[Register]) -> None:
        self.region, self.readers = region, readers
        self.made: dict[Operand, Instruction] = {i.out: i for i in region.instructions}

    def instructions(self) -> tuple[Instruction, ...]:
        others = [i for i in self.region.instructions if i.op not in CHANGES]
        changes = [i for i in self.region.instructions if i.op in CHANGES]
        shortened = [self.short(i) or i for i in changes]
        return (*others, *self.ordered(shortened, {i.out: i for i in changes}))

    def short(self, i: Instruction) -> Instruction | None:
        """The change as an ``accumulate``, or None if it has another form."""
        if i.op != "change" or len(i.args) != 4:
            return None
        old, decay, rate, value = i.args
        product = self.product_of(value)
        if product is None or not _fits(product, i.options[0]):
            return None
        if old in product.args:  # the weights would be read while they are written
            return None
        turns = product.options if product.op == "matmul" else ()
        return Instruction("accumulate", i.out, (old, decay, rate, *product.args), (*i.options, *turns))

    def product_of(self, value: Operand) -> Instruction | None:
        """The product that computes a value, if the value need not be stored; else None."""
        made = self.made.get(value)
        if made is None:
            return None
        if made.op == "turn" and made.args[0] in self.made:
            inner = self.made[made.args[0]]
            return _turned(inner) if inner.op == "matmul" and _is_narrow(inner) else None
        is_read_once = self.readers[made.out] == 1
        is_free = is_read_once if made.op == "outer" else made.op == "matmul" and (is_read_once or _is_narrow(made))
        return made if is_free else None

    def ordered(self, changes: list[Instruction], longer: dict[Register, Instruction]) -> list[Instruction]:
        """Order changes so that each comes after all that read what it changes. To break a cycle, a change is replaced
        by its original instruction from `longer`, which computes the product first."""
        written: dict[Operand, Instruction] = {i.args[0]: i for i in changes}
        waiting, done = list(changes), []
        while waiting:
            pending = set(waiting)
            free = next((i for i in waiting if not self.is_read(i, pending)), None)
            if free is None:  # a cycle, such as two products that each read what the other changes
                short = next(i for i in waiting if i.op == "accumulate" and any(a in written for a in i.args[3:]))
                waiting[waiting.index(short)] = longer[short.out]
                continue
            waiting.remove(free)
            done.append(free)
        return done

    def is_read(self, i: Instruction, pending: set[Instruction]) -> bool:
        """Whether another pending change reads what this one changes."""
        return any(i.args[0] in other.args[1:] for other in pending if other is not i)


def _is_narrow(product: Instruction) -> bool:
    return product.registers[0].shape[0 if product.options[0] else 1] <= NARROW


def _turned(product: Instruction) -> Instruction:
    """``(a b)^T = b^T a^T``."""
    (a, b), (turn_a, turn_b) = product.args, product.options
    out = replace(product.out, space=Matrix(product.out.shape[::-1]))
    return Instruction("matmul", out, (b, a), (not turn_b, not turn_a))


def _fits(product: Instruction, synapses: Synapses) -> bool:
    if isinstance(product.out.space, Matrix):
        return synapses.layout == "dense"
    return synapses.layout == "sparse" and product.out.space == synapses.shared
