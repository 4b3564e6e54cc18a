"""An instruction writer, which names registers uniquely and breaks expressions down into operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sympy

from circuitsim.plan.instructions import Instruction, Neurons, Operand, Register, Scalar, Space
from circuitsim.rules.functions import COMPARISONS, OverNeurons, mean

Leaf = Callable[[sympy.Symbol], Operand]
SCALAR, EVERYTHING = Scalar(), Neurons(1)
EACH_NEURON = frozenset({"softmax", "rank"})  # reductions with a value for each neuron


class Writer:
    """Appends instructions to a list.

    Args:
        names: how often each register name has been used; all writers of a program share it.

    Attributes:
        lines: the instructions so far.
    """

    def __init__(self, names: dict[str, int] | None = None) -> None:
        self.names = {} if names is None else names
        self.lines: list[Instruction] = []

    def register(self, name: str, space: Space, batch: bool = False) -> Register:
        """A new register. A number is appended to a name that is taken."""
        count = self.names[name] = self.names.get(name, 0) + 1
        return Register(
            name if count == 1 and name != "%" else f"{name}{'' if name == '%' else '.'}{count}", space, batch
        )

    def write(
        self, op: str, args: Iterable[Operand], space: Space, batch: bool = False, options: tuple[Any, ...] = (),
        name: str = "%",
    ) -> Register:  # fmt: skip
        """Append one instruction and return the register that it writes."""
        out = self.register(name, space, batch)
        self.lines.append(Instruction(op, out, tuple(args), options))
        return out

    def renamed(self, register: Register, name: str) -> Register:
        """Give the register that was written last a name, if it has none yet."""
        if not register.name.startswith("%") or (last := self.lines[-1]).out is not register:
            return register
        found = self.register(name, register.space, register.batch)
        self.lines[-1] = Instruction(last.op, found, last.args, last.options)
        return found

    def elementwise(self, op: str, *args: Operand) -> Register:
        space, batch = shape_of(args)
        return self.write(op, args, space, batch)

    def fold(self, op: str, values: Sequence[Operand]) -> Operand:
        """Combine all values with a binary operation, the smallest arrays first, so that few passes over large ones are
        left."""
        ordered = sorted(values, key=_size_of)
        result = ordered[0]
        for value in ordered[1:]:
            result = self.elementwise(op, result, value)
        return result

    def spread(self, value: Operand, space: Space, name: str = "%") -> Register:
        """A value as one number per sample and neuron; one of another shape is expanded."""
        if not isinstance(value, Register) or value.is_scalar:
            return self.write("fill", (value,), space, batch=True, name=name)
        if not value.batch or value.space != space:
            return self.write("copy", (value,), space, batch=True, name=name)
        return value

    def expression(self, e: sympy.Expr, leaf: Leaf, neurons: Neurons = EVERYTHING) -> Operand:
        """Append the instructions that evaluate an expression.

        Args:
            e: an expression in the functions of the rule language, without sums over synapses.
            leaf: returns the value of a symbol.
            neurons: the population over which its reductions run.
        """
        if e.is_Symbol:
            return leaf(e)
        if e.is_Number:
            return float(e)
        if e.is_Mul:
            return self.product(e.args, leaf, neurons=neurons)
        if isinstance(e, mean):
            return self.mean(e.args[0], leaf, neurons)
        parts = [self.expression(argument, leaf, neurons) for argument in e.args]
        if e.is_Add:
            return self.fold("add", parts)
        if e.is_Pow:
            return self._power(parts[0], float(e.exp))
        op = type(e).__name__
        if isinstance(e, OverNeurons):
            space = neurons if op in EACH_NEURON else EVERYTHING
            return self.write(op, (self.spread(parts[0], neurons),), space, batch=True)
        if op == "clip":
            return self.elementwise("minimum", self.elementwise("maximum", parts[0], parts[1]), parts[2])
        return self.elementwise(op, *parts)

    def product(
        self, factors: Iterable[sympy.Expr], leaf: Leaf, *others: Operand, neurons: Neurons = EVERYTHING
    ) -> Operand:
        """Append a product. Comparisons among its factors are gates, which are applied last, to the rest's product."""
        factors = list(factors)
        gates = [f for f in factors if isinstance(f, COMPARISONS)]
        values = [*(self.expression(f, leaf, neurons) for f in factors if f not in gates), *others]
        conditions = [self.expression(gate, leaf, neurons) for gate in gates]
        result = self.fold("multiply", values) if values else conditions.pop(0)
        for condition in conditions:
            result = self.elementwise("gate", result, condition)
        return result

    def _power(self, base: Operand, exponent: float) -> Operand:
        last = self.lines[-1] if self.lines else None
        if exponent == -1 and last is not None and last.out is base and last.op == "sqrt":
            self.lines.pop()
            return self.elementwise("reciprocal_sqrt", *last.args)
        return self.elementwise("reciprocal", base) if exponent == -1 else self.elementwise("power", base, exponent)

    def mean(self, e: sympy.Expr, leaf: Leaf, neurons: Neurons = EVERYTHING) -> Operand:
        """Append the mean of an expression over batch and population."""
        root = _root_of(e)
        value = self.expression(e if root is None else root, leaf, neurons)
        if isinstance(value, Register) and not value.is_scalar:
            return self.write("mean" if root is None else "mean_square", (value,), EVERYTHING)
        return value if root is None else self.elementwise("power", value, 2.0)


def _root_of(e: sympy.Expr) -> sympy.Expr | None:
    """x if the expression is x**2, where comparisons are squares of themselves; else None."""
    factors = sympy.Mul.make_args(e)
    gates = [f for f in factors if isinstance(f, COMPARISONS)]
    roots = [f.base for f in factors if f.is_Pow and f.exp == 2]
    return sympy.Mul(*gates, *roots) if roots and len(gates) + len(roots) == len(factors) else None


def shape_of(args: Iterable[Operand]) -> tuple[Space, bool]:
    """The space and batch of an elementwise operation: the largest among its arguments."""
    registers = [arg for arg in args if isinstance(arg, Register)]
    space = max((r.space for r in registers), key=_rank, default=SCALAR)
    return space, any(r.batch for r in registers)


def _size_of(value: Operand) -> tuple[int, bool, int]:
    """A key that sorts numbers before scalars, and these before arrays by their axes."""
    return (0, False, 0) if not isinstance(value, Register) else (1, value.batch, _rank(value.space))


def _rank(space: Space) -> int:
    """0 for a scalar, 1 for a number that all neurons share, 2 for neurons, 3 for synapses and matrices."""
    if isinstance(space, Neurons):
        return 1 if space.size == 1 else 2
    return 0 if isinstance(space, Scalar) else 3
