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
from circuitsim.plan import Instruction, Program, Register
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
        for name, register in program.parameters.items():
            if not register.is_scalar:
                self.tensors[register] = store.parameters.tensor(name)
        self._evaluate_scalars()
        self.changes: dict[Register, tuple[Instruction, int]] = {}  # weights -> their change and its phase
        self.n_phases_done, self.n_writes = 0, store.n_writes
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

    def run(self, given: Mapping[Register, Tensor], batch: Any) -> None:
        self.batch, self.n_phases_done, self.n_writes = batch, 0, self.store.n_writes
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
        self.batch.check_input_by_product(name, product)

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
        if i.op in KERNELS:
            KERNELS[i.op](self, i)
        elif i.op in OPERATIONS:
            shape = kernels.broadcast(*map(self.shape, i.args))
            operands = [self.number(a) if i.op in LINEAR and self.shape(a) == () else self.operand(a) for a in i.args]
            self.calls.add(OPERATIONS[i.op], *operands, out=self.in_place(i, i.args, shape))
        else:
            x, shape = i.args[0], (*self.vectors(i.args[0])[:2], i.out.size)
            self.calls.add(OVER_NEURONS[i.op], self.operand(x), out=self.buffer(i.out, shape))
