"""The instructions of a program, the values that they read and write, and the regions that hold them.

This file does not depend on torch. `circuitsim.plan.interpret` defines in NumPy what each operation means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Scalar:
    """One number, or one for each replica. It depends only on rule parameters, so it is known before a step begins."""

    def __str__(self) -> str:
        return "number"


@dataclass(frozen=True)
class Neurons:
    """One number for each neuron.

    Args:
        size: the population's size; 1 also stands for a number that all neurons share, such as a signal or a mean.
    """

    size: int

    def __str__(self) -> str:
        return str(self.size)


@dataclass(frozen=True)
class Synapses:
    """One number for each synapse of a projection.

    Args:
        projection: its name, or "" for values that several projections with the same pattern of synapses share.
        shape: (post, pre).
        layout: how the numbers are stored: "dense", "one_to_one" or "sparse".
        pattern: for sparse synapses, the projection for which they were drawn, and whether its pattern is transposed.
    """

    projection: str
    shape: tuple[int, int]
    layout: str
    pattern: tuple[str, bool]

    @property
    def shared(self) -> Synapses:
        """The same synapses without the projection's name, for values that projections with this pattern share."""
        return Synapses("", self.shape, self.layout, self.pattern if self.layout == "sparse" else ("", False))

    @property
    def reversed(self) -> Synapses:
        """The transposed pattern."""
        name, turned = self.pattern
        return Synapses("", self.shape[::-1], self.layout, (name, not turned if name else turned))

    def __str__(self) -> str:
        return f"{self.shape[0]}x{self.shape[1]}" + ("" if self.layout == "dense" else f" {self.layout}")


@dataclass(frozen=True)
class Matrix:
    """A matrix that belongs to no projection: a product of weights, or a batch mean.

    Args:
        shape: (post, pre).
    """

    shape: tuple[int, int]
    layout: ClassVar[str] = "dense"

    @property
    def reversed(self) -> Matrix:
        """The space of the transpose."""
        return Matrix(self.shape[::-1])

    def __str__(self) -> str:
        return f"{self.shape[0]}x{self.shape[1]}"


Space = Scalar | Neurons | Synapses | Matrix


@dataclass(frozen=True, eq=False, slots=True)
class Register:
    """A value: one array over a space for each replica, and for each sample if `batch` is set.

    Args:
        name: a name that is unique in the program.
        space: the elements that have a number each.
        batch: whether there is an array for each sample.
    """

    name: str
    space: Space
    batch: bool = False

    @property
    def is_scalar(self) -> bool:
        """Whether the value is known before a step begins."""
        return isinstance(self.space, Scalar)

    @property
    def size(self) -> int:
        """The number of neurons."""
        assert isinstance(self.space, Neurons)
        return self.space.size

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns of synapses or of a matrix."""
        assert isinstance(self.space, Synapses | Matrix)
        return self.space.shape

    @property
    def axes(self) -> str:
        """The axes as text, such as "batch x 200"."""
        return f"batch x {self.space}" if self.batch else str(self.space)

    def __repr__(self) -> str:
        return self.name


Operand = Register | float


@dataclass(frozen=True, eq=False, slots=True)
class Instruction:
    """``out = op(*args)``. `circuitsim.plan.interpret` defines every operation in NumPy.

    Args:
        op: the operation's name.
        out: the register that is written.
        args: the registers and numbers that are read.
        options: constants of the operation, such as names, spaces and bounds.
    """

    op: str
    out: Register
    args: tuple[Operand, ...]
    options: tuple[Any, ...] = ()

    @property
    def registers(self) -> tuple[Register, ...]:
        """The arguments that are registers."""
        return tuple(arg for arg in self.args if isinstance(arg, Register))

    @property
    def reads(self) -> Iterator[Register]:
        """The registers that are read, including those that a body reads."""
        yield from self.registers
        for option in self.options:
            if isinstance(option, Body):
                yield from option.reads

    @property
    def is_dense_current(self) -> bool:
        """Whether it multiplies neurons by weights that are stored as an array."""
        return self.op == "current" and self.options[0].layout == "dense"


@dataclass(frozen=True, eq=False)
class Body:
    """Instructions over synapses that run for one sample at a time.

    Args:
        instructions: the instructions; a register with a batch axis is read at the current sample.
        result: the value for one sample.
    """

    instructions: tuple[Instruction, ...]
    result: Operand

    @property
    def reads(self) -> Iterator[Register]:
        """The registers that are computed outside the body."""
        inside = {i.out for i in self.instructions}
        for instruction in self.instructions:
            yield from (register for register in instruction.reads if register not in inside)
        if isinstance(self.result, Register) and self.result not in inside:
            yield self.result


@dataclass(frozen=True)
class Region:
    """The instructions of one iteration of a phase.

    Args:
        phase: the phase's name.
        instructions: the instructions in order; changes of weights and states come last.
        iteration: the number of the iteration, from 0.
    """

    phase: str
    instructions: tuple[Instruction, ...]
    iteration: int = 0


# Operations that change weights or states. They come last in their region.
CHANGES = frozenset({"change", "assign", "accumulate"})
