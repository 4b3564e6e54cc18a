"""Run the programs of a circuit on batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard, Processes
from circuitsim.engine.draws import draw_noise
from circuitsim.engine.input_binder import InputBinder
from circuitsim.engine.lower import Lowered
from circuitsim.engine.programs import Programs, Runnable
from circuitsim.engine.store import WeightStore
from circuitsim.engine.undo import recomputed
from circuitsim.errors import ParameterError
from circuitsim.motif import Motif
from circuitsim.plan import Register, Times


@dataclass(eq=False)
class Batch:
    """The inputs, targets and signals of one step, with valid shapes. A running program also asks it for noise.

    Args:
        runner: whose binder checks numbers and signals.
        step: the number of the step, which keys its noise.
        inputs, targets: the samples of this process, keyed as in `circuitsim.plan.program.Given`.
        times: the time steps of sequences.
        shard: this process's part of the whole batch.
        check: whether the numbers of inputs and the classes must still be checked.
        signals: numbers, or functions without arguments that return them after the cycle, keyed by name.
    """

    runner: Runner
    step: int
    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]
    times: Times
    shard: BatchShard
    check: bool
    signals: Mapping[str, Any] = field(default_factory=dict)

    def noise(self, phase: str, population: str, size: int) -> Tensor:
        """Standard normal numbers, ``[replica, samples of this process, neuron]``."""
        like = self.runner.store.like
        drawn = draw_noise(population, size, phase, self.step, self.runner.seeds, self.shard.n_samples)
        return self.shard.part(torch.as_tensor(drawn)).to(dtype=like.dtype).to(device=like.device)

    def check_input_by_product(self, input_name: str, product: Tensor) -> None:
        """Check an input if its product with weights is not finite."""
        if self.check and not self.runner.binder.is_finite(product):
            self.runner.binder.check_numbers({input_name: self.inputs[input_name]}, {})

    def signal(self, name: str) -> Tensor:
        """The values of a signal, ``[replica, samples of this process, 1]``."""
        with torch.inference_mode(False), torch.no_grad():  # a user's function may keep what it reads
            return self.runner.binder.signal(name, self.signals[name], self.shard)


class Runner:
    """Runs the programs of a circuit on batches.

    Attributes:
        last: the program of the last step or cycle. Its registers hold the quantities of that cycle.
    """

    def __init__(self, motif: Motif, programs: Programs, store: WeightStore, seeds: Sequence[int]) -> None:
        self.motif, self.programs, self.store, self.seeds = motif, programs, store, seeds
        self.binder = InputBinder(motif, programs.plans, store.n_replicas, store.like.device, store.like.dtype)
        self.last: Lowered | None = None

    def batch(
        self, step: int, x: Any, target: Any, signals: Mapping[str, Any], processes: Processes, check: bool
    ) -> Batch:
        """Make a batch from what the user passes to a step.

        The numbers of inputs and the classes are checked by `run`, unless several processes share the batch. They are
        then checked here in the whole batch, so that all processes raise the same error.

        Raises:
            DataError: x, target or a signal does not fit.
        """
        inputs = self.binder.inputs(x, check=False)
        shard = processes.shard(next(iter(inputs.values())).shape[1])
        targets = self.binder.targets(target, inputs, check, check_classes=False) if self.motif.objectives else {}
        inputs, targets, times = self.binder.by_time(inputs, targets)
        given = self.binder.check_signals(signals, shard.n_samples)
        if not shard.is_whole:
            if check:
                self.binder.check_numbers(inputs, targets)
            inputs, targets = ({k: shard.part(v) for k, v in part.items()} for part in (inputs, targets))
        return Batch(self, step, inputs, targets, times, shard, check and shard.is_whole, given)

    def run(self, runnable: Runnable, batch: Batch) -> Lowered:
        """Run a program.

        Raises:
            DataError: a number of an input is not finite, or a class is out of range; nothing has changed.
        """
        given = self._given(runnable, batch)
        lowered = runnable.at(given, batch.shard)
        if batch.check:  # only what the program itself does not check before it changes anything
            self.binder.check_numbers(
                {name: x for name, x in batch.inputs.items() if name not in lowered.checked_inputs},
                {name: target for name, target in batch.targets.items() if name not in lowered.checked_targets},
            )
        before, self.last = self.last, lowered  # set before the run: a signal may read the activities computed so far
        kept = self._kept(batch)
        try:
            with torch.inference_mode():  # less overhead in each call than no_grad
                lowered.run(given, batch)
        except BaseException as error:
            # a cycle in the same memory is partly overwritten, so that nothing can be read of it any more
            self.last = before if before is not None and before.arena is not lowered.arena else None
            for name, values in kept.items():
                self.store.own[name].copy_(values)
            if isinstance(error, RuntimeError | IndexError):
                self.binder.check_numbers({}, batch.targets)  # torch's error does not say which class is out of range
            raise
        return lowered

    def _kept(self, batch: Batch) -> dict[str, Tensor]:
        """What a step must restore if a function that gives a signal fails, because an earlier phase or iteration has
        changed weights or states."""
        if not any(map(callable, batch.signals.values())) or [plan.repeat for plan in self.programs.plans] == [1]:
            return {}
        return {name: values.clone() for name, values in self.store.own.items()}

    def inputs(self, x: Any) -> Batch:
        """Make a batch for a prediction, which has neither targets nor signals."""
        inputs, _, times = self.binder.by_time(self.binder.inputs(x, check=False), {})
        return Batch(self, 0, inputs, {}, times, BatchShard(next(iter(inputs.values())).shape[1]), check=True)

    def predict(self, runnable: Runnable, batch: Batch) -> list[Tensor]:
        """Return copies of the readable quantities of a program."""
        last = self.last
        try:
            lowered = self.run(runnable, batch)
        finally:
            self.last = last  # a prediction does not count as a cycle
        return [self.copied(lowered.of(register)) for register in lowered.program.readable.values()]

    # -- reading the last cycle

    def copied(self, values: Tensor) -> Tensor:
        """A copy for all replicas, since the next step reuses the memory."""
        return values.clone().expand(self.store.n_replicas, *values.shape[1:])

    def read(self, kind: str, owner: str) -> Tensor:
        """A copy of an "activity", "drive", "current" or "judged" activity of the last cycle.

        Raises:
            ParameterError: no cycle has run yet, or the last step did not compute it.
        """
        name = f"I_{owner}" if kind == "current" else f"{owner}.{kind}"
        kind, last = "judged activity" if kind == "judged" else kind, self.last
        if last is None:
            raise ParameterError(f"no {kind} of {owner!r} yet: run circuit.step(x, target) or circuit.cycle(x, target)")
        if name in last.readable:
            return self.copied(last.of(last.readable[name]))
        if name not in last.program.images:
            raise ParameterError(f"no phase gives {owner!r} a {kind}")
        try:
            return self.copied(recomputed(last, last.program.images[name]))
        except ParameterError as error:
            raise ParameterError(
                f"the last step did not compute the {kind} of {owner!r}, because it takes fewer multiplications "
                f"without it, and it cannot be computed now: {error}. Keep it with circuit.step(x, target, "
                f"keep=[{owner!r}]), or run circuit.cycle(x, target)"
            ) from None

    @staticmethod
    def _given(runnable: Runnable, batch: Batch) -> dict[Register, Tensor]:
        given = runnable.program.given
        found = {register: batch.inputs[name] for name, register in given.inputs.items()}
        for name, register in given.targets.items():
            target = batch.targets[name]
            found[register] = target.unsqueeze(-1) if name in given.classes else target
        return found
