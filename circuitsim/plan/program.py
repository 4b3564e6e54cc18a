"""Programs: a step as instructions over registers. They do not depend on torch; `print` shows one as text.

A program is emitted from a motif's plans, rewritten by passes and lowered to torch, for any batch size;
`interpret` defines its meaning in NumPy.

Each register is written by exactly one instruction. Weights and states change once per region; the value after the
change has a register of its own (``W0:w'``) in the same memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from circuitsim.plan.instructions import CHANGES, Body, Instruction, Operand, Region, Register
from circuitsim.plan.plan import ONCE, Times


@dataclass(frozen=True)
class Given:
    """The registers that the caller fills at every step.

    Args:
        inputs, targets: keyed by population; a sequence has a register for each time step, keyed by ``x[0]``, ...
        classes: the keys of targets that are class indices.
    """

    inputs: Mapping[str, Register] = field(default_factory=dict)
    targets: Mapping[str, Register] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()

    @property
    def registers(self) -> set[Register]:
        """All of them. The caller may overwrite their memory after the step."""
        return {*self.inputs.values(), *self.targets.values()}


@dataclass(frozen=True)
class Image:
    """A vector over neurons that the program does not compute, given as the product ``scale * (matrix @ base)``.

    Args:
        matrix: ``[size of the vector, size of the base]``, or None for the identity.
        base: a vector for each sample.
        scale: one number for all neurons and samples, or None for 1.
    """

    matrix: Register | None
    base: Register
    scale: Register | None = None

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers from which the vector can be computed."""
        return tuple(r for r in (self.matrix, self.base, self.scale) if r is not None)


@dataclass(frozen=True)
class Program:
    """The instructions of a step, and the registers through which it reads inputs and returns results.

    Args:
        name: the motif's name.
        given: the registers that the caller fills.
        parameters: rule parameters, keyed by names such as ``W0:eta``: scalars, or one number per synapse.
        states: weights and states at the start of the step, keyed by names such as ``V1:w`` or ``up1.theta``.
        regions: one for each phase, in order.
        readable: the register that holds each quantity at the end of the step, keyed by names such as ``up1.activity``,
            ``up1.drive``, ``I_V1`` and ``V1:change``.
        images: the quantities that the step does not compute, as products of what it does compute. The matrix may be
            weights from the start of the step.
        losses: the batch mean of the loss, keyed by phase.
        loss: the sum of the losses of all objectives, each in the phase in which it is evaluated.
        times: the time steps of the sequences for which the program was emitted.
    """

    name: str
    given: Given
    parameters: Mapping[str, Register]
    states: Mapping[str, Register]
    regions: tuple[Region, ...]
    readable: Mapping[str, Register] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    losses: Mapping[str, Register] = field(default_factory=dict)
    loss: Register | None = None
    times: Times = ONCE

    @property
    def instructions(self) -> Iterator[Instruction]:
        """The instructions of all regions, in order."""
        for region in self.regions:
            yield from region.instructions

    @property
    def readers(self) -> defaultdict[Register, list[Instruction]]:
        """The instructions that read each register, in order."""
        found: defaultdict[Register, list[Instruction]] = defaultdict(list)
        for i in self.instructions:
            for register in i.reads:
                found[register].append(i)
        return found

    @property
    def roots(self) -> Iterator[Register]:
        """The registers that must hold their values at the end of the step."""
        yield from self.readable.values()
        for image in self.images.values():
            yield from image.registers
        yield from self.losses.values()
        if self.loss is not None:
            yield self.loss

    def __str__(self) -> str:
        return show(self)


# -- a program as text: one line per instruction; a value that only one line reads is written within that line

# Precedence of operations. An operand of lower precedence needs parentheses.
COMPARISON, SUM, PRODUCT, ATOM = range(4)
INFIX = {
    "greater": (" > ", COMPARISON),
    "greater_equal": (" >= ", COMPARISON),
    "equal": (" == ", COMPARISON),
    "not_equal": (" != ", COMPARISON),
    "add": (" + ", SUM),
    "multiply": (" * ", PRODUCT),
}
# The texts of other operations, from their options o and their arguments: a where they stand alone, p within a product,
# t where nothing may come apart.
FORMATS = {
    "current": ("{t[0]} @ {t[1]}", PRODUCT),
    "back_current": ("{t[0]}^T @ {t[1]}", PRODUCT),
    "turn": ("{t[0]}^T", ATOM),
    "reciprocal": ("1 / {t[0]}", PRODUCT),
    "reciprocal_sqrt": ("1 / sqrt({a[0]})", PRODUCT),
    "power": ("{t[0]}**{t[1]}", PRODUCT),
    "mean_square": ("mean({t[0]}**2)", ATOM),
    "mean_of_squares": ("sum({a[0]} * {t[1]}) / {t[1]}.rows", PRODUCT),
    "batch_mean": ("E[{a[0]}]", ATOM),
    "outer": ("E[{p[0]} (x) {p[1]}]", ATOM),
    "add_multiple": ("{a[0]} + {p[2]} * {p[1]}", SUM),
    "gate": ("[{a[1]}] {t[0]}", PRODUCT),
    "gate_above": ("[{a[1]} > {a[2]}] {t[0]}", PRODUCT),
    "assign": ("{a[0]} <- {a[1]}", SUM),
    "noise": ("{a[0]} + noise of s.d. {o[2]}", SUM),
    "reduce": ("{o[1]}({a[0]})", ATOM),
    "signal": ("given", ATOM),
    "loss": ("{o[0]} loss({a[0]}, {a[1]})", ATOM),
    "error": ("{o[0]} error({a[0]}, {a[1]})", ATOM),
}
Names = Mapping[Register, tuple[str, ...]]
Text = tuple[str, int]  # the text of a value and its precedence


def show(program: Program) -> str:
    """Write a program as text that shows what a step does and in which order."""
    names = _names(program)
    lines = [f"program of {program.name!r}"]
    for what, registers in (("input", program.given.inputs), ("target", program.given.targets)):
        lines += [f"  {what} {names.get(r, (r.name,))[0]}    [{r.axes}]" for r in registers.values()]
    kept = set(program.roots)
    # values that have no name of their own and are read once
    read_once = [r for r, readers in program.readers.items() if len(readers) == 1 and r.name.startswith("%")]
    inline = frozenset(r for r in read_once if r not in kept)
    for region in program.regions:
        repeats = any(r.iteration for r in program.regions if r.phase == region.phase)
        lines.append(f"phase {region.phase!r}" + (f", iteration {region.iteration + 1}" if repeats else ""))
        lines += [f"  {line}" for line in _Lines(names, inline).of(region.instructions)]
    return "\n".join(lines)


def _names(program: Program) -> dict[Register, tuple[str, ...]]:
    """The names of each register. An activity or a drive gives the first name, then come all others."""
    found: dict[Register, tuple[str, ...]] = {}
    kinds = {"activity": 0, "drive": 1}
    readable = [(name, r) for name, r in program.readable.items() if not name.endswith((".judged", ":change"))]
    for name, register in sorted(readable, key=lambda item: kinds.get(item[0].rpartition(".")[2], 2)):
        found[register] = (*found.get(register, ()), name)
    return found


class _Lines:
    def __init__(self, names: Names, inline: frozenset[Register]) -> None:
        self.names, self.inline = names, inline
        self.texts: dict[Register, Text] = {register: (known[0], ATOM) for register, known in names.items()}

    def of(self, instructions: tuple[Instruction, ...]) -> Iterator[str]:
        for i in instructions:
            text = self.text(i)
            if i.out in self.inline:
                self.texts[i.out] = text
            elif i.op in CHANGES:
                yield text[0]
            else:
                known = " = ".join(self.names.get(i.out, (i.out.name,)))
                yield f"{known} = {text[0]}" + ("" if i.out.is_scalar else f"    [{i.out.axes}]")

    def operand(self, value: Operand, level: int = COMPARISON) -> str:
        """An operand, in parentheses if its precedence is below `level`."""
        if not isinstance(value, Register):
            return f"{value:g}"
        text, binds = self.texts.get(value, (value.name, ATOM))
        return text if binds >= level else f"({text})"

    def text(self, i: Instruction) -> Text:
        if i.op in INFIX:
            sign, level = INFIX[i.op]
            return sign.join(self.operand(a, level + (level == COMPARISON)) for a in i.args), level
        levels = {"a": COMPARISON, "p": PRODUCT, "t": ATOM}
        args = {key: [self.operand(a, level) for a in i.args] for key, level in levels.items()}
        if i.op in FORMATS:
            text, level = FORMATS[i.op]
            return text.format(**args, o=i.options), level
        match i.op:
            case "matmul":
                return self.product(i.args, i.options), PRODUCT
            case "combination":
                return self.sum(i.args), SUM
            case "change" | "accumulate":
                return self.change(i), SUM
            case "sample_mean" | "sample_reduce":
                kind = "E" if i.op == "sample_mean" else i.options[1]
                return f"{kind}[{self.body(i.options[-1])}] (does not factor: sample by sample, slow)", ATOM
            case "sample_values":
                return f"{self.body(i.options[-1])} (a state per sample)", ATOM
        return f"{i.op}({', '.join(args['a'])})", ATOM

    def product(self, ends: Sequence[Operand], turned: Sequence[bool]) -> str:
        """A product of two matrices, or of two vectors, which is a batch mean."""
        if not turned:
            return f"E[{' (x) '.join(self.operand(end, PRODUCT) for end in ends)}]"
        return " @ ".join(self.operand(a, ATOM) + ("^T" if t else "") for a, t in zip(ends, turned, strict=True))

    def sum(self, pairs: Sequence[Operand]) -> str:
        found = []
        for scale, value in zip(pairs[::2], pairs[1::2], strict=True):
            factors = [self.operand(x, PRODUCT) for x in (scale, value) if x != 1.0]
            found.append(" * ".join(factors) or "1")
        return " + ".join(found) or "0"

    def change(self, i: Instruction) -> str:
        (w, decay, *terms), (_, bounds, *turned) = i.args, i.options
        if i.op == "change":
            added = self.sum(terms)
        else:
            added = f"{self.operand(terms[0], PRODUCT)} * {self.product(terms[1:], turned)}"
        shrinks = "" if decay == 0.0 else f" - {self.operand(decay, PRODUCT)} * {self.operand(w)}"
        clipped = f", clipped to {bounds}" if bounds else ""
        return f"{self.operand(w)} += {added}{shrinks}{clipped}"

    def body(self, body: Body) -> str:
        inner = _Lines(self.names, self.inline)
        inner.texts = dict(self.texts)
        for i in body.instructions:
            text = inner.text(i)
            inner.texts[i.out] = (inner.operand(i.args[0]), ATOM) if i.op.startswith("at_") else text
        return inner.operand(body.result)
