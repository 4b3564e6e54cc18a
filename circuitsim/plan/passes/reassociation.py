r"""Evaluate each chain of matrix products in its cheapest order, including products over the batch.

A linear population or a current ``x[b] = W y[b]`` that only products read need not be computed, because those products
can read the narrower y instead. With e the output error, a linear descending stream is ``g = A e`` with ``A = Wt_1 Wt_2
...``, so

    V g          = (V A) e
    E[h g^T]     = E[h e^T] A^T
    E[(Vt h) g^T] = Vt E[h e^T] A^T
    E[g^2]       = sum of (A E[e e^T]) * A

With 10 neurons in e and a batch of 256 samples, the right-hand sides take a fraction of the multiplications. Only the
order of summation changes. A number that multiplies a whole population, such as the factor of a normalised trace,
commutes with means, currents and gates. It is moved behind the mean where that is stored, so that means which differ by
a number are computed once, and else to the narrowest vector.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from circuitsim.plan.instructions import Instruction, Matrix, Operand, Register
from circuitsim.plan.passes.rewriting import without_dead_code
from circuitsim.plan.passes.sharing import share_common_subexpressions
from circuitsim.plan.program import Image, Program
from circuitsim.plan.writer import EVERYTHING, Writer

GATES = frozenset({"gate", "gate_above"})
OVERHEAD = 50_000  # the cost of launching a product, in multiplications


@dataclass(frozen=True)
class Sizes:
    """The sizes, apart from the program's own, on which the cost of a product depends.

    Args:
        batch: the number of samples.
        replicas: the number of circuits that run together.
    """

    batch: int
    replicas: int = 1

    def cost(self, *axes: int) -> int:
        """The cost, in multiplications, of a product of matrices with these rows, inner and columns in any order."""
        return self.replicas * math.prod(axes) + OVERHEAD


def reassociate(program: Program, sizes: Sizes, kept: Collection[str] = ()) -> Program:
    """Omit vectors that products can do without.

    Args:
        sizes: the batch size and the number of replicas, which decide what is cheaper.
        kept: quantities that are computed in addition, so that weights change exactly as without `kept`, to the last
            bit; "*" stands for all readable quantities.
    Returns:
        A program in which the omitted quantities are `images`.
    """
    return _Reassociation(program, sizes, kept).program()


class _Reassociation(Writer):
    """Rewrites the program in a single pass.

    Attributes:
        images: the vectors omitted so far.
    """

    def __init__(self, program: Program, sizes: Sizes, kept: Collection[str]) -> None:
        super().__init__({"%": 10**6})  # above the numbers of the program's own registers
        self.given, self.sizes = program, sizes
        self.images: dict[Register, Image] = {}
        self.multiples: dict[tuple[Register, Register], Register] = {}  # (number, vector) -> their product
        self.readers = program.readers
        self.made = {i.out: i for i in program.instructions}
        self.where = {i.out: k for k, region in enumerate(program.regions) for i in region.instructions}
        self.clipped = clipped_weights(program)
        self.inputs = program.given.registers
        self.wanted: set[Register | None] = {*program.losses.values(), program.loss}
        self.kept = {r for name, r in program.readable.items() if "*" in kept or name in kept}

    def program(self) -> Program:
        regions = []
        for region in self.given.regions:
            self.lines = []
            for i in region.instructions:
                self.instruction(i)
            regions.append(replace(region, instructions=tuple(self.lines)))
        gone = {name: r for name, r in self.given.readable.items() if r in self.images and r not in self.kept}
        found = replace(
            self.given,
            regions=tuple(regions),
            readable={name: r for name, r in self.given.readable.items() if name not in gone},
            images={name: self.images[r] for name, r in gone.items()},
        )
        return share_common_subexpressions(without_dead_code(found))

    def instruction(self, i: Instruction) -> None:
        scale, vector = self.unscaled(i.out)
        if i.is_dense_current and i.out.batch:
            self.current(i)
        elif i.op == "outer" and isinstance(i.out.space, Matrix):
            self.outer(i)
        elif i.op == "mean_square" and self.image(i.registers[0]).matrix is not None:
            self.mean_square(i)
        elif scale is not None and vector in self.images:  # multiply the scale of what is omitted
            image = self.images[vector]
            self.images[i.out] = Image(image.matrix, image.base, self.both(scale, image.scale))
            if i.out in self.kept:
                self.lines.append(i)
        else:
            self.lines.append(i)
            if scale is not None:
                self.multiples[scale, vector] = i.out

    # -- currents

    def current(self, i: Instruction) -> None:
        """Omit ``W y``, or compute it from the base of y."""
        weights, vector = i.registers
        image = self.image(vector)
        matrix = self.times(weights, image.matrix)
        if self.can_go(i) and self.saves(i, image):
            self.images[i.out] = Image(matrix, image.base, image.scale)
            if i.out not in self.kept:
                return
        options = i.options if image.matrix is None else (matrix.space,)
        self.lines.append(Instruction("current", i.out, (matrix, self.scaled_base(image)), options))

    def image(self, vector: Register) -> Image:
        """The product as which a vector can be read. The caller may overwrite its inputs after the step, so a multiple
        of an input counts as a vector of its own."""
        if vector in self.images:
            return self.images[vector]
        scale, base = self.unscaled(vector)
        return Image(None, vector) if base in self.inputs else Image(None, base, scale)

    def scaled_base(self, image: Image) -> Register:
        if image.scale is None:
            return image.base
        key = image.scale, image.base
        if key not in self.multiples:
            self.multiples[key] = self.elementwise("multiply", *key)
        return self.multiples[key]

    def both(self, a: Register | None, b: Register | None) -> Register | None:
        """The product of two numbers, where None stands for 1."""
        return self.elementwise("multiply", a, b) if a is not None and b is not None else a or b

    def products_of(self, vector: Register) -> list[tuple[Instruction, Register]]:
        """The readers of a vector, and those of its multiples, each with the vector that it reads."""
        found = []
        for reader in self.readers[vector]:
            is_multiple = self.unscaled(reader.out)[1] is vector and reader.out not in self.wanted
            found += self.products_of(reader.out) if is_multiple else [(reader, vector)]
        return found

    def can_go(self, i: Instruction) -> bool:
        """Whether only products of its own phase read the current, so that it can be omitted."""
        readers, (weights, vector) = self.products_of(i.out), i.registers
        return (
            bool(readers)
            and i.out not in self.wanted
            and all(self.where[r.out] == self.where[i.out] for r, _ in readers)
            and all(is_product_of(r, read) for r, read in readers)
            and weights not in self.clipped
            and self.image(vector).base not in self.inputs  # the caller may overwrite its inputs after the step
        )

    def saves(self, i: Instruction, image: Image) -> bool:
        """Whether its readers together are cheaper without the current."""
        rows, columns = i.registers[0].shape
        width, batch, cost = image.base.size, self.sizes.batch, self.sizes.cost
        made = cost(batch, rows, columns) if image.matrix is None else cost(batch, rows, width)
        gone = 0
        for reader, read in self.products_of(i.out):
            if reader.op == "mean_square":
                gone += cost(rows, width, width) + cost(batch, width, width)
                continue
            if reader.op == "current":
                n = reader.registers[0].shape[0]
                made += cost(batch, n, rows)
                gone += cost(n, rows, width) + cost(batch, n, width)
                continue
            other = self.image(next(a for a in reader.args if a is not read and isinstance(a, Register)))
            n = other.base.size
            made += cost(batch, n, rows)
            gone += cost(n, width, rows)
            if not self.is_made(other.base, image.base):
                gone += cost(batch, n, width)
        return gone < made

    def is_made(self, a: Register, b: Register) -> bool:
        """Whether a batch mean of these two vectors is computed anyway."""
        bases = [
            [self.image(x).base for x in r.args if isinstance(x, Register)] for r in self.readers[b] if r.op == "outer"
        ]
        return any(set(pair) == {a, b} for pair in bases)

    # -- batch means of products

    def outer(self, i: Instruction) -> None:
        """``E[p q^T] = P E[p0 q0^T] Q^T``."""
        a, b = i.registers
        p, q = self.image(a), self.image(b)
        if p.matrix is None and q.matrix is None:
            self.lines.append(Instruction("outer", i.out, self.narrowly_scaled(a, b), i.options))
            return
        shape = Matrix((p.base.size, q.base.size))
        mean = self.write("outer", (p.base, q.base), shape, options=(shape,))
        scale = self.both(p.scale, q.scale)
        if scale is not None:
            mean = self.elementwise("multiply", scale, mean)
        n, m = a.size, b.size
        if p.matrix is None or q.matrix is None:
            self.last_product(i, p.matrix or mean, q.matrix or mean, q.matrix is not None)
            return
        left_first = self.sizes.cost(n, p.base.size, q.base.size) + self.sizes.cost(n, q.base.size, m)
        right_first = self.sizes.cost(p.base.size, q.base.size, m) + self.sizes.cost(n, p.base.size, m)
        if left_first <= right_first:
            self.last_product(i, self.times(p.matrix, mean), q.matrix, True)
        else:
            inner = self.write("matmul", (mean, q.matrix), Matrix((p.base.size, m)), options=(False, True))
            self.last_product(i, p.matrix, inner, False)

    def mean_square(self, i: Instruction) -> None:
        """``E[g^2] = sum of (A E[e e^T]) * A``, divided by the number of neurons of g."""
        image = self.image(i.registers[0])
        assert image.matrix is not None
        n, base = image.base.size, self.scaled_base(image)
        moments = self.write("outer", (base, base), Matrix((n, n)), options=(Matrix((n, n)),))
        product = self.times(image.matrix, moments)
        self.lines.append(Instruction("mean_of_squares", i.out, (product, image.matrix)))

    def narrowly_scaled(self, p: Register, q: Register) -> tuple[Register, Register]:
        """``E[p (s q)^T] = E[(s p) q^T]``: let a number shared by all neurons multiply the narrowest vector."""
        for a, b in ((p, q), (q, p)):
            scale, vector = self.unscaled(b)
            if scale is None:
                continue
            scaled = self.scaled(scale, a, b.size)
            if scaled is not None:
                return (scaled, vector) if a is p else (vector, scaled)
        return p, q

    def unscaled(self, vector: Register) -> tuple[Register | None, Register]:
        """Split a vector into a number shared by all neurons and samples (or None) and the rest of the product."""
        made = self.made.get(vector)
        if made is not None and made.op == "multiply" and vector.batch and len(made.registers) == 2:
            for scale, rest in (made.registers, made.registers[::-1]):
                if scale.space == EVERYTHING and not scale.batch:
                    return scale, rest
        return None, vector

    def scaled(self, scale: Register, vector: Register, width: int) -> Register | None:
        """A vector times a number, multiplied at a vector of fewer than `width` neurons; None if there is none.

        Gates and currents are linear in what they pass on: ``s [x > c] (W y) = [x > c] (W (s y))``.
        """
        made = self.made.get(vector)
        if made is not None and len(self.readers[vector]) == 1 and vector not in self.wanted:
            passed = made.args[0] if made.op in GATES else None
            if isinstance(passed, Register) and not passed.is_scalar:
                inner = self.scaled(scale, passed, min(width, vector.size))
                if inner is not None:
                    return self.write(made.op, (inner, *made.args[1:]), vector.space, batch=True)
            if made.is_dense_current and vector.batch and made.args[0] not in self.clipped:
                weights, activity = made.registers
                image = self.image(activity)
                inner = self.scaled(scale, self.scaled_base(image), min(width, vector.size))
                if inner is not None:
                    matrix = self.times(weights, image.matrix)
                    self.images[vector] = Image(matrix, image.base, image.scale)
                    options = made.options if image.matrix is None else (matrix.space,)
                    return self.write("current", (matrix, inner), vector.space, batch=True, options=options)
        return self.elementwise("multiply", scale, vector) if vector.size < width else None

    def last_product(self, i: Instruction, a: Register, b: Register, turned: bool) -> None:
        self.lines.append(Instruction("matmul", i.out, (a, b), (False, turned)))

    def times(self, a: Register, b: Register | None) -> Register:
        """``a @ b``, or a if b is None."""
        if b is None:
            return a
        shape = Matrix((a.shape[0], b.shape[1]))
        return self.write("matmul", (a, b), shape, options=(False, False))


def clipped_weights(program: Program) -> set[Operand]:
    """Weights whose change is clipped, and whose earlier values can therefore not be reconstructed."""
    return {i.args[0] for i in program.instructions if i.op == "change" and i.options[1]}


def is_product_of(i: Instruction, vector: Register) -> bool:
    """Whether an instruction multiplies the vector by a matrix, or takes a batch mean of its outer product."""
    if i.op == "mean_square":
        return True
    if i.op == "current":
        return i.args[1] is vector and i.is_dense_current and i.out.batch
    return i.op == "outer" and isinstance(i.out.space, Matrix) and i.args[0] is not i.args[1]
