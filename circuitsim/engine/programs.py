"""The programs of a circuit. Each is emitted when it is first needed, then rewritten by passes and lowered for a batch
size."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.lower import Lowered
from circuitsim.engine.store import WeightStore
from circuitsim.engine.workspace import Arena
from circuitsim.motif import Motif
from circuitsim.motif.wiring import sequences_of
from circuitsim.plan import Circuitry, Plan, Program, Register, Times, build_plans, circuitry_of, emit, passes
from circuitsim.plan.quantities import at_time

MAX_SIZES = 64  # the number of batch sizes for which a program stays lowered
MAX_PROGRAMS = 64  # the number of programs that are kept, with a memory of their own for each length of sequences


class Runnable:
    """A program, as emitted before any pass, that can run on the weights of a circuit. It computes the quantities in
    `kept` even where the step is cheaper without them.
    """

    def __init__(self, program: Program, store: WeightStore, kept: frozenset[str]) -> None:
        self.program, self.store, self.kept = program, store, kept
        self._lowered: dict[Hashable, Lowered] = {}
        self._arena = Arena(store.like)
        self._mask_changes, self._writes = store.n_mask_changes, store.n_writes
        self._relays = store.relays()

    @functools.cached_property
    def simplified(self) -> Program:
        """The program after the passes that do not depend on the batch size."""
        return simplify(self.program)

    def at(self, given: Mapping[Register, Tensor], shard: BatchShard) -> Lowered:
        """Return the program, lowered for the batch size of `given`."""
        if self._mask_changes != self.store.n_mask_changes:
            self._lowered, self._mask_changes = {}, self.store.n_mask_changes
        if self._writes != self.store.n_writes:
            relays, self._writes = self.store.relays(), self.store.n_writes
            if relays != self._relays:
                self._lowered, self._relays = {}, relays
        key = (shard, *(tensor.shape for tensor in given.values()))
        found = self._lowered.get(key)
        if found is None:
            if len(self._lowered) >= MAX_SIZES:
                del self._lowered[next(iter(self._lowered))]
            program = passes.without_relays(self.simplified, self._relays)
            program = for_batch(program, self.kept, shard, self.store.n_replicas)
            found = Lowered(program, self.store, given, shard, self._arena)
            if self._arena.has_grown:  # earlier lowerings would keep the smaller memory alive
                self._lowered, self._arena.has_grown = {}, False
            self._lowered[key] = found
        return found

    @property
    def n_bytes(self) -> int:
        return self._arena.n_bytes


def simplify(program: Program) -> Program:
    return passes.fuse_gates(passes.without_dead_code(passes.share_common_subexpressions(program)))


def for_batch(program: Program, kept: frozenset[str], shard: BatchShard, n_replicas: int) -> Program:
    """Apply the passes that depend on the batch size; `kept` are quantities that must be computed."""
    n_each = -(-shard.n_samples // shard.n_processes)  # the same in all processes, which must run the same program
    sizes = passes.Sizes(n_each, n_replicas)
    program = passes.rematerialize(passes.reassociate(program, sizes, kept), sizes, kept)
    if not shard.is_whole:
        program = passes.distribute(program)
    return passes.fuse_sums(passes.update_in_place(program))


class Programs:
    def __init__(self, motif: Motif, frozen: frozenset[str], store: WeightStore) -> None:
        self.motif, self.store = motif, store
        self.plans: tuple[Plan, ...] = build_plans(motif, frozen)
        self.circuitry: Circuitry = circuitry_of(motif, self.plans)
        self._runnables: dict[Hashable, Runnable] = {}

    @functools.cached_property
    def step(self) -> Program:
        """The program of a step as emitted, before any pass; of two time steps where inputs are sequences."""
        sequences = sequences_of(self.motif)
        return emit(self.plans, self.circuitry, times=Times(2, sequences) if sequences else Times())

    def for_step(self, changes: str, kept: frozenset[str], times: Times) -> Runnable:
        """Return the program of a step that makes these changes, as `emit` calls them."""

        def make() -> Program:
            known = changes == "apply" and times == self.step.times
            return self.step if known else emit(self.plans, self.circuitry, changes, times)

        return self._runnable((changes, kept, times), make, kept)

    def for_prediction(self, population: str, times: Times, every_time: bool = False) -> Runnable:
        """Return the program that computes the activity of one population; see `Circuit.predict`. With `every_time`,
        the activity at each time step of its last phase is readable."""

        def make() -> Program:
            program = emit(self.phases_of(population), self.circuitry, "predict", times)
            owners = [at_time(population, t) for t in range(times.n)] if every_time else [population]
            readable = {f"{owner}.activity": program.readable[f"{owner}.activity"] for owner in owners}
            program = passes.without_dead_code(replace(program, readable=readable, losses={}, loss=None))
            read = {register for i in program.instructions for register in i.reads} | set(readable.values())
            targets = {name: register for name, register in program.given.targets.items() if register in read}
            return replace(program, given=replace(program.given, targets=targets))

        return self._runnable(("predict", population, times, every_time), make, frozenset())

    def phases_of(self, population: str) -> tuple[Plan, ...]:
        """Return the phases up to that in which a prediction reads a population."""
        names = [plan.phase for plan in self.plans]
        judged = {error: names.index(phase) + 1 for error, phase in self.circuitry.judged.items()}
        n = judged.get({o.output: o.error for o in self.motif.objectives}.get(population, ""))
        if n is None:
            last = max(judged.values(), default=len(names))
            driven = [k for k, plan in enumerate(self.plans, 1) if plan.populations[population].source != "kept"]
            n = last if any(k <= last for k in driven) else min(driven, default=len(names))
        return self.plans[:n]

    def _runnable(self, key: Hashable, make: Callable[[], Program], kept: frozenset[str]) -> Runnable:
        found = self._runnables.pop(key, None) or Runnable(make(), self.store, kept)
        self._runnables[key] = found  # last, so that the one that was not needed for longest is the first
        if len(self._runnables) > MAX_PROGRAMS:
            del self._runnables[next(iter(self._runnables))]
        return found

    @property
    def n_bytes(self) -> int:
        return sum(runnable.n_bytes for runnable in self._runnables.values())


EVERYTHING = frozenset({"*"})  # keeps all quantities


def partners(program: Program) -> tuple[set[str], set[str]]:
    """Find the projections that share a batch mean: those that read it transposed, and those that read it directly."""
    program = simplify(program)
    turns = {i.out: i.args[0] for i in program.instructions if i.op == "turn"}
    turned, straight, means = set(), set(), set(turns.values())
    for i in program.instructions:
        if i.op == "change":
            name = str(i.args[0]).partition(":")[0]
            turned |= {name} if any(a in turns for a in i.args) else set()
            straight |= {name} if any(a in means for a in i.args) else set()
    return turned, straight - turned
