"""Lower a program to calls of torch for one batch size, with a buffer for each register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine import kernels, objectives, sampled, weight_updates
from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.operations import OPERATIONS, OVER_NEURONS
from circuitsim.engine.store import WeightStore
from circuitsim.engine.workspace import VIEWING, Arena, Workspace
from circuitsim.plan import Instruction, Neurons, Program, Register
from circuitsim.plan.instructions import CHANGES
from circuitsim.plan.quantities import BATCH_SIZE
from circuitsim.rules.elementwise import ELEMENTWISE

LINEAR = frozenset({"add", "multiply"})  # with a 0-dimensional tensor they take a third of the time of a Python number
KERNELS = {**kernels.KERNELS, **weight_updates.CHANGES, **objectives.KERNELS, **sampled.KERNELS}


class Lowered(Workspace):
    """A program for one batch size, as a list of calls.

    Attributes:
        losses: batch means of losses, keyed by register: ``[replica]``, or ``[1]`` where all replicas share them.
        checked_inputs, checked_targets: the populations whose invalid numbers the program finds before any change.
    """

    def __init__(
        self, program: Program, store: WeightStore, given: Mapping[Register, Tensor], shard: BatchShard, arena: Arena
    ) -> None:
        super().__init__(program, store, given, shard, arena)
        self._scalar_instructions: list[Instruction] = []
        self._parameters_version = -1
        self.views: dict[Register, Register] = {}  # register -> the register whose memory it may share
        self.checked_inputs: set[str] = set()
        self.checked_targets: set[str] = set()
        self.readable: Mapping[str, Register] = program.readable  # the quantities that can be read at this point
        for name, register in program.parameters.items():
            if not register.is_scalar:
                self.tensors[register] = store.parameters.tensor(name)
        self._evaluate_scalars()
        self.changes: dict[Register, tuple[Instruction, int]] = {}  # weights -> their change and its phase
        self.n_phases_done = 0
        with torch.no_grad():
            for phase, region in enumerate(program.regions):
                self.decays = []
                for i in region.instructions:
                    if i.out.is_scalar:
                        self._scalar_instructions.append(i)
                        self._evaluate(i)
                    else:
                        self._lower(i)
                        self.release(i)
                        if i.op in VIEWING:
                            self.views[i.out] = i.registers[0]
                        if not self.changes:
                            self._add_checks(i)
                        if i.op in CHANGES:
                            self.changes[i.registers[0]] = i, phase
                if len(program.regions) > 1:
                    self.calls.add(self._end_phase)
        losses = dict.fromkeys((*program.losses.values(), program.loss))
        self.losses = {r: self.tensors[r].view(-1).expand(self.n_replicas) for r in losses if r is not None}

    # -- running

    def run(self, given: Mapping[Register, Tensor], environment: Any) -> None:
        self.environment, self.n_phases_done = environment, 0
        if self._parameters_version != self.store.parameters.version:
            self._evaluate_scalars()
        self.give(given)
        self.calls.run()
        self.n_phases_done = len(self.program.regions)

    def _add_checks(self, i: Instruction) -> None:
        """Check each input by its first product with weights, which is not finite wherever the input is not, since 0
        times a number that is not finite is not finite. Torch checks classes itself when it uses them as indices."""
        if self.like.device.type != "cpu":
            return
        given = self.program.given
        if i.is_dense_current:
            name = next((name for name, r in given.inputs.items() if r is i.args[1]), None)
            if name is not None and name not in self.checked_inputs:
                self.checked_inputs.add(name)
                self.calls.add(self._check_input_by_product, name, self.tensors[i.out])
        elif i.op == "error":
            self.checked_targets |= {name for name in given.classes if given.targets[name] is i.args[1]}

    def _check_input_by_product(self, name: str, product: Tensor) -> None:
        self.environment.check_input_by_product(name, product)

    def _end_phase(self) -> None:
        self.n_phases_done += 1

    # -- scalars, which are known before a step begins

    def _evaluate_scalars(self) -> None:
        """Update the values that depend on parameters alone."""
        parameters = self.store.parameters
        self._parameters_version = parameters.version
        for name, register in self.program.parameters.items():
            if register.is_scalar:
                size = float(self.shard.n_samples)
                self.set_scalar(register, size if name == BATCH_SIZE.name else parameters.scalar(name))
        for i in self._scalar_instructions:
            self._evaluate(i)

    def _evaluate(self, i: Instruction) -> None:
        with np.errstate(all="ignore"):
            value = ELEMENTWISE[i.op](*(np.asarray(self.scalar(a), dtype=float) for a in i.args))
        self.set_scalar(i.out, value if np.ndim(value) else float(value))

    # -- instructions

    def _lower(self, i: Instruction) -> None:
        kernel = KERNELS.get(i.op)
        if kernel is not None:
            kernel(self, i)
        elif i.op in OPERATIONS:
            self._elementwise(i)
        elif i.op in OVER_NEURONS:
            x, shape = i.args[0], (*self.vectors(i.args[0])[:2], i.out.size)
            self.calls.add(OVER_NEURONS[i.op], self.operand(x), out=self.buffer(i.out, shape))
        else:
            getattr(self, f"_{i.op}")(i)

    def _elementwise(self, i: Instruction) -> None:
        shape = kernels.broadcast(*map(self.shape, i.args))
        operands = [self.number(a) if i.op in LINEAR and self.shape(a) == () else self.operand(a) for a in i.args]
        self.calls.add(OPERATIONS[i.op], *operands, out=self.in_place(i, i.args, shape))

    def _fill(self, i: Instruction) -> None:
        (value,), n_samples = i.args, self.n_own if i.out.batch else 1
        shape, is_constant = (self.shape(value) or (1,))[:1], not isinstance(value, Register)
        out = self.buffer(i.out, (*shape, n_samples, i.out.size), constant=is_constant)
        if is_constant:
            out.fill_(self.operand(value))
        else:
            self.put(out, value)

    def _copy(self, i: Instruction) -> None:
        shape = self.shape(i.args[0])
        if isinstance(i.out.space, Neurons):
            shape = (shape[0], self.n_own if i.out.batch else shape[1], i.out.size)
        self.put(self.buffer(i.out, shape), i.args[0])

    def _noise(self, i: Instruction) -> None:
        population, phase, deviation = i.options
        out = self.buffer(i.out, (self.n_replicas, self.n_own, i.out.size))

        def add_noise(activity: Tensor) -> None:
            noise = self.environment.noise(phase, population, out.shape[2])
            torch.add(activity, noise, alpha=deviation, out=out)

        self.calls.add(add_noise, self.operand(i.args[0]))

    def _signal(self, i: Instruction) -> None:
        out = self.buffer(i.out, (self.n_replicas, self.n_own, 1))
        name, seen = i.options
        readable = dict(zip(seen, i.registers, strict=True))

        def read() -> None:
            self.readable = readable  # a function of the circuit can read what is computed so far
            try:
                out.copy_(self.environment.signal(name))
            finally:
                self.readable = self.program.readable

        self.calls.add(read)

    # -- means, summed over this process's samples and divided by the size of the whole batch

    def _mean(self, i: Instruction) -> None:
        axes, shape = (1,) if i.op == "batch_mean" else (1, 2), self.shape(i.args[0])
        out = self.buffer(i.out, tuple(1 if axis in axes else n for axis, n in enumerate(shape)))
        self.calls.add(torch.sum, self.operand(i.args[0]), axes, keepdim=True, out=out)
        self._average(out, shape[1], 1 if i.op == "batch_mean" else shape[2])

    _batch_mean = _mean

    def _mean_square(self, i: Instruction) -> None:
        r, b, n = self.vectors(i.args[0])
        out = self.buffer(i.out, (r, 1, 1))
        if r == 1:
            flat = self.operand(i.args[0], "flat")
            self.calls.add(torch.dot, flat, flat, out=out.view(()))
        else:
            self.calls.add(torch.linalg.vector_norm, self.operand(i.args[0]), 2, (1, 2), keepdim=True, out=out)
            self.calls.add(Tensor.square_, out)
        self._average(out, b, n)

    def _average(self, total: Tensor, n_summed: int, n: int) -> None:
        """Divide a sum over samples and n neurons; a value that all samples share counts once for each sample."""
        self.calls.add(Tensor.mul_, total, self.number(self.scale / n * (self.n_own / n_summed if n_summed else 0.0)))

    def _mean_of_squares(self, i: Instruction) -> None:
        a, b = map(self.operand, i.args)
        n_rows = a.shape[-2]
        out = self.buffer(i.out, (max(a.shape[0], b.shape[0]), 1, 1))
        product = self.scratch(i.out, "product", a.shape)
        self.calls.add(torch.mul, a, b, out=product)
        self.calls.add(torch.sum, product, (1, 2), keepdim=True, out=out)
        self.calls.add(Tensor.mul_, out, self.number(1.0 / n_rows))
        self.calls.add(Tensor.clamp_, out, 0.0)

    def _all_reduce(self, i: Instruction) -> None:
        (part,) = i.registers
        self.tensors[i.out] = self.tensors[part]
        self.calls.add(self.shard.sum_, self.tensors[part])

    def _shift(self, i: Instruction) -> None:
        out = self.buffer(i.out, self.shape(i.args[0]))
        self.calls.add(self.shard.shifted, self.operand(i.args[0]), out=out)

    # -- synapses

    def _present(self, i: Instruction) -> None:
        layout, out = self.at_synapses(i)
        self.put(out, i.args[0])
        self.restrict(out, layout)

    def _reduce(self, i: Instruction) -> None:
        layout = self.layout(i.options[0])
        values = self.scratch(i.out, "values", (self.n_replicas, *layout.value_shape))
        self.put(values, i.args[0])
        out = self.buffer(i.out, (self.n_replicas, 1, i.out.size))
        kernels.reduce(self.calls.add, layout, i.options[1], values, out)
