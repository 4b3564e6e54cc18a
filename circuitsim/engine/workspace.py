"""The place where a lowering keeps what its kernels share: buffers, operands and calls.

A program is lowered to a list of calls whose buffers are allocated, with slots for the few arguments that change from
step to step: inputs and targets, numbers that schedules change, and decay factors.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.operations import fitting
from circuitsim.engine.store import WeightStore
from circuitsim.plan import Instruction, Program, Register, Synapses
from circuitsim.plan.instructions import CHANGES, Operand

VIEWING = frozenset({"turn", "at_post", "at_pre", "all_reduce"})  # the result may be a view of the operand

VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda t: t,
    "rows": lambda t: t[0],  # [B, n] of [1, B, n]
    "columns": lambda t: t[0].T,  # [n, B]
    "turned": lambda t: t.transpose(1, 2),
    "flat": lambda t: (t.transpose(1, 2) if t.transpose(1, 2).is_contiguous() else t).reshape(-1),  # in memory order
}

Argument = Any  # a tensor, a number, or a slot for one of them
Decay = tuple[Operand, str, Callable[[Any], object]]  # the decay, the name of the weights, and who takes the factor


class Slot:
    """A value that changes, and the arguments that take it."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.places: list[tuple[Any, Any]] = []  # a list or dict of arguments, with an index or key

    def set(self, value: Any) -> None:
        """Write a value into the arguments."""
        self.value = value
        for container, key in self.places:
            container[key] = value


class Calls:
    """A list of functions with their arguments."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], list[Any], dict[str, Any]]] = []

    def add(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Add one call; its arguments may be slots."""
        listed = list(args)
        containers: list[tuple[Any, Any]] = [(listed, range(len(listed))), (options, list(options))]
        for container, keys in containers:
            for key in keys:
                if isinstance(slot := container[key], Slot):
                    slot.places.append((container, key))
                    container[key] = slot.value
        self.calls.append((function, listed, options))

    def run(self) -> None:
        for function, args, options in self.calls:
            function(*args, **options)


class Arena:
    """The memory of registers. It grows to fit the largest batch; smaller batches use the front of it."""

    def __init__(self, like: Tensor) -> None:
        self.like = like
        self._flat: dict[Any, Tensor] = {}
        self.has_grown = False

    def take(self, key: Any, shape: tuple[int, ...]) -> Tensor:
        n = math.prod(shape)
        flat = self._flat.get(key)
        if flat is None or flat.numel() < n:
            self.has_grown = self.has_grown or flat is not None
            flat = self._flat[key] = self.like.new_empty(n)
        return flat[:n].view(shape)

    @property
    def n_bytes(self) -> int:
        return sum(flat.numel() * flat.element_size() for flat in self._flat.values())


class Workspace:
    """The buffers of a program, after all passes, for one batch size, and the calls that fill them.

    Attributes:
        arena: the memory of registers, which all lowerings of one program share.
        calls: the calls so far.
        tensors: the values of each register, except for scalars, inputs and targets.
        given: the inputs and targets of the last run, keyed by register.
        decays: the weights that decay in the current region.
        decay_factors: by weights, the factor that multiplies them.
        per_replica: the scalars with a value for each replica.
        batch: the batch of the last run, which provides noise and signals.
        readable: the quantities that can be read at this point of a step.
    """

    def __init__(
        self, program: Program, store: WeightStore, given: Mapping[Register, Tensor], shard: BatchShard, arena: Arena
    ) -> None:
        self.program, self.store, self.shard, self.arena = program, store, shard, arena
        self.like, self.n_replicas = store.like, store.n_replicas
        self.n_own = len(range(shard.n_samples)[shard.own])
        self.calls = Calls()
        self.given = dict(given)
        self.tensors: dict[Register, Tensor] = {r: store.own[name] for name, r in program.states.items()}
        self.scalars: dict[Register, Any] = {}
        self.decays: list[Decay] = []
        self.decay_factors: dict[Register, Any] = {}
        self.batch: Any = None
        self.readable: Mapping[str, Register] = program.readable
        self.per_replica: dict[Register, Tensor] = {}
        self._numbers: dict[Register, Tensor] = {}  # the scalars that calls read as tensors
        self._slots: dict[Register, dict[float, Slot]] = defaultdict(dict)  # those that they read as numbers, by factor
        self._views: dict[tuple[Register, str, int], Slot] = {}  # of inputs and targets
        self._classes: dict[tuple[Operand, int], Tensor] = {}
        self._readers = program.readers
        self._roots = frozenset(program.roots)
        self._own: set[Register] = set()  # registers that share their memory with no other
        self._memory: dict[Register, Register] = {}  # register -> the one whose memory it has
        self._free: dict[int, list[Register]] = defaultdict(list)  # size -> memory that no later instruction reads

    def of(self, register: Register) -> Tensor:
        return self.given[register] if register in self.given else self.tensors[register]

    def scalar(self, value: Operand) -> Any:
        return self.scalars[value] if isinstance(value, Register) else float(value)

    def operand(self, value: Operand, view: str = "", times: float = 1.0, replicas: int = 0) -> Argument:
        """Return the argument for an operand: a tensor, a number, or a slot for one of them.

        Args:
            view: of a tensor, one of `VIEWS`.
            times: a factor of a number that all replicas share.
            replicas: the number of replicas to which a tensor is expanded; 0 if it is not expanded.
        """
        if not isinstance(value, Register):
            return fitting(float(value) * times, self.like.dtype)
        if value in self.per_replica:
            return self.per_replica[value]
        if value.is_scalar:
            return self._slots[value].setdefault(times, Slot(fitting(self.scalars[value] * times, self.like.dtype)))
        if value in self.given:
            key = value, view, replicas
            return self._views.setdefault(key, Slot(self._given_view(*key)))
        tensor = self.tensors[value]
        found = VIEWS[view](tensor)
        if found.untyped_storage().data_ptr() != tensor.untyped_storage().data_ptr():
            raise AssertionError(f"the {view} view of {value.name} is a copy, which later runs would not update")
        return found.expand(replicas, -1, -1) if replicas else found

    def _given_view(self, register: Register, view: str, replicas: int) -> Tensor:
        found = VIEWS[view](self.given[register])
        return found.expand(replicas, -1, -1) if replicas else found

    def give(self, given: Mapping[Register, Tensor]) -> None:
        """Write inputs and targets into the arguments."""
        self.given.update(given)
        for key, slot in self._views.items():
            slot.set(self._given_view(*key))

    def set_scalar(self, register: Register, value: Any) -> None:
        """Give a scalar a value, a number or ``[R, 1, 1]``, and write it into the arguments."""
        if register in self._numbers and value != self.scalars[register]:
            self._numbers[register].fill_(fitting(value, self.like.dtype))
        self.scalars[register] = value
        if isinstance(value, np.ndarray):
            tensor = self.per_replica.setdefault(register, self.like.new_empty(value.shape))
            tensor.copy_(torch.from_numpy(value))
        for times, slot in self._slots[register].items():
            slot.set(fitting(value * times, self.like.dtype))

    def number(self, value: Operand) -> Tensor:
        """Return a number that all replicas share as a 0-dimensional tensor, which `LINEAR` operations take faster than
        a Python number."""
        if isinstance(value, Register) and value in self._numbers:
            return self._numbers[value]
        tensor = self.like.new_full((), fitting(self.scalar(value), self.like.dtype))
        if isinstance(value, Register):  # a constant has a tensor for each call, since 0.0 and -0.0 are one key
            self._numbers[value] = tensor
        return tensor

    def shape(self, value: Operand) -> tuple[int, ...]:
        if not isinstance(value, Register):
            return ()
        if value.is_scalar:
            return tuple(self.per_replica[value].shape) if value in self.per_replica else ()
        return tuple(self.of(value).shape)

    def vectors(self, value: Operand) -> tuple[int, ...]:
        """Return the shape ``[R, B, n]`` of vectors; R is 1 where all replicas share them."""
        shape = self.shape(value)
        assert len(shape) == 3
        return shape

    def buffer(
        self, register: Register, shape: tuple[int, ...], turned: bool = False, constant: bool = False
    ) -> Tensor:
        """Allocate a register, in memory that is free if there is some.

        Args:
            turned: whether neighbours along the second axis are neighbours in memory.
            constant: whether it is filled only once, so that nothing else may write there.
        """
        free = [] if constant else self._free[math.prod(shape)]
        memory = self._memory[register] = free.pop() if free else register
        if turned:
            self.tensors[register] = self.arena.take(memory, (shape[0], shape[2], shape[1])).transpose(1, 2)
        else:
            self.tensors[register] = self.arena.take(memory, shape)
        if not constant:
            self._own.add(register)
        return self.tensors[register]

    def in_place(self, i: Instruction, operands: Iterable[Operand], shape: tuple[int, ...]) -> Tensor:
        """Allocate an instruction's register in the memory of an operand that may be written over, or else anew."""
        listed = [value for value in operands if isinstance(value, Register)]
        over = next((r for r in listed if self._is_done(r, i) and tuple(self.tensors[r].shape) == shape), None)
        if over is None:
            # in the memory order of the operands, as of currents of sparse synapses and of narrow matrices
            alike = [self.tensors[r] for r in listed if r in self.tensors and self.shape(r) == shape]
            turned = any(not tensor.is_contiguous() for tensor in alike) and not isinstance(i.out.space, Synapses)
            return self.buffer(i.out, shape, turned)
        self.tensors[i.out], self._memory[i.out] = self.tensors[over], self._memory[over]
        self._own.add(i.out)
        self._own.discard(over)
        return self.tensors[i.out]

    def _is_done(self, register: Register, i: Instruction) -> bool:
        """Whether an instruction is the last to read a register, whose memory is its own."""
        return (
            register in self._own
            and register not in self._roots
            and self._readers[register][-1] is i
            and all(reader.op not in VIEWING | CHANGES for reader in self._readers[register])
        )

    def release(self, i: Instruction) -> None:
        """Let later instructions have the memory of what this one is the last to read."""
        for register in dict.fromkeys(i.reads):
            if self._is_done(register, i):
                self._own.remove(register)
                self._free[self.tensors[register].numel()].append(self._memory[register])

    def scratch(self, owner: object, what: str, shape: tuple[int, ...]) -> Tensor:
        """Allocate memory for an intermediate value of an instruction, which its register or weights own."""
        return self.arena.take((owner, what), shape)

    def layout(self, synapses: Any) -> Any:
        return self.store.layout_of(synapses)

    def at_synapses(self, i: Instruction) -> tuple[Any, Tensor]:
        """Return the layout of an instruction's synapses, and allocate its register there."""
        layout = self.layout(i.options[0])
        return layout, self.buffer(i.out, (self.n_replicas, *layout.value_shape))

    def put(self, out: Tensor, value: Operand) -> None:
        """Write a value, which is expanded to the shape of `out`."""
        argument = self.operand(value)
        is_number = isinstance(self.last_value(argument), float)
        self.calls.add(Tensor.fill_ if is_number else Tensor.copy_, out, argument)

    def restrict(self, values: Tensor, layout: Any) -> None:
        if layout.absent is not None:
            self.calls.add(Tensor.masked_fill_, values, layout.absent, 0.0)

    def lies_along_post(self, register: Register) -> bool | None:
        """Whether the weights that this mean changes lie along post in memory; None if it changes no weights."""
        for reader in self._readers[register]:
            if reader.op == "change":
                return not self.tensors[reader.registers[0]].is_contiguous()
        return None

    @property
    def scale(self) -> float:
        """1 / (number of samples in the whole batch)."""
        return 1.0 / self.shard.n_samples

    def classes(self, target: Operand, replicas: int) -> Tensor:
        """Return a copy of the class indices, ``[R, B, 1]``."""
        key = target, replicas
        if key not in self._classes:
            self._classes[key] = torch.empty((replicas, self.n_own, 1), dtype=torch.int64, device=self.like.device)
            self.put(self._classes[key], target)
        return self._classes[key]

    @staticmethod
    def last_value(argument: Argument) -> Any:
        """Return the value that an argument had in the last run."""
        return argument.value if isinstance(argument, Slot) else argument
