"""Run the plan on one batch: for each phase a cycle of both streams, then the rules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from circuitsim.engine.chains import chains
from circuitsim.engine.feed import Feed
from circuitsim.engine.gates import with_gates
from circuitsim.engine.noise import StepNoise
from circuitsim.engine.operations import Value
from circuitsim.engine.plasticity import Plasticity
from circuitsim.engine.share import Processes, Share
from circuitsim.engine.store import WeightStore
from circuitsim.engine.sweep import Sweep
from circuitsim.engine.tape import Recorder, Tape
from circuitsim.engine.workspace import Workspace, Workspaces
from circuitsim.motif.motif import Motif
from circuitsim.plan import Plan

Quantities = dict[str, Any]  # of one step by name; the losses by phase under "loss[phase]"
Parameters = Mapping[str, Value]


class Batch(NamedTuple):
    """What is given for one step, checked.

    Args:
        inputs, targets: by population, the own samples.
        signals: by name: numbers, or functions without arguments that give these after the cycle.
        share: what part of the whole batch this is.
    """

    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]
    signals: Mapping[str, Any]
    share: Share

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs and targets, in a fixed order."""
        return (*self.inputs.values(), *self.targets.values())


class Runner:
    """The plans of a motif, lowered.

    Args:
        motif: the declaration.
        plans: one for each phase.
        store: the weights.
        seed: of the noise of populations.
        like: a tensor of the circuit's type, on its device.
        currents: as in `compile`.

    Attributes:
        quantities: those of the last run.
    """

    def __init__(
        self, motif: Motif, plans: tuple[Plan, ...], store: WeightStore, seed: int, like: Tensor, currents: str = "all"
    ) -> None:
        self.motif, self.store, self.seed = motif, store, seed
        self.feed = Feed(motif, plans, store.n_replicas, like.device, like.dtype)
        self.workspaces = Workspaces()
        gated = with_gates(plans)
        chained = chains(gated[0], store.layouts) if currents == "needed" and len(gated) == 1 else {}
        self.phases = [
            (phase.name, plan, Sweep(plan, store.layouts), Plasticity(plan, store.layouts, like, chained))
            for phase, plan in zip(motif.phases, gated, strict=True)
        ]
        self.quantities: Quantities = {}
        self._parameters: Parameters | None = None
        self._scaled: tuple[frozenset[int], ...] = ()
        self.has_noise = any(p.noise for plan in plans for p in plan.populations.values())

    def batch(
        self, x: Any, target: Any, signals: Mapping[str, Any] | None, processes: Processes, check: bool = True
    ) -> Batch:
        """What the user gives for one step.

        Raises:
            DataError: x, target or a signal does not fit; without `check`, the numbers of the first two are not seen.
        """
        inputs = self.feed.inputs(x, check)
        share = processes.share(next(iter(inputs.values())).shape[1])
        targets = self.feed.targets(target, share.n_samples, check) if self.motif.objectives else {}
        given = self.feed.check_signals(signals, share.n_samples)
        if not share.is_whole:
            inputs, targets = ({k: share.part(v) for k, v in part.items()} for part in (inputs, targets))
        return Batch(inputs, targets, given, share)

    def step(
        self, batch: Batch, parameters: Parameters, number: int, changed: MutableMapping[str, Tensor] | None
    ) -> None:
        """One step: the second one in a workspace is recorded, later ones are played from its tape.

        Args:
            batch: what is given.
            parameters: of the rules; another object whenever one has changed.
            number: of the step.
            changed: if given, filled with the change of each projection.
        """
        if parameters is not self._parameters:
            self._parameters = parameters
            self._scaled = tuple(plasticity.set_rates(parameters) for *_, plasticity in self.phases)
        # whatever decides which operations a step is made of
        workspace = self._workspace(batch, self._scaled, self.store.n_mask_changes)

        def change(plasticity: Plasticity, env: Quantities) -> None:
            plasticity.run(env, self.store.own, changed)

        with torch.no_grad():
            if workspace.tape is not None and changed is None:
                self.quantities = workspace.tape.play(batch.tensors, parameters)
                return
            # the first step makes the buffers; noise and functions of the circuit are made anew at every step
            steady = workspace.n_steps == 1 and batch.share.is_whole and not (batch.signals or self.has_noise)
            workspace.n_steps += 1
            if not steady or changed is not None:
                self._run(batch, workspace, parameters, number, change)
                return
            with Recorder(batch.tensors) as recorder:
                self._run(batch, workspace, parameters, number, change)
            if recorder.problem is None:
                workspace.tape = Tape(recorder, self.quantities)

    def cycle(
        self, batch: Batch, parameters: Parameters, number: int, visit: Callable[[Plasticity, Quantities], object]
    ) -> None:
        """The cycles of a step; in place of the rules, `visit` is called.

        Args:
            batch, parameters, number: as in `step`.
            visit: gets the plasticity of each phase, and the quantities so far.
        """
        with torch.no_grad():
            self._run(batch, self._workspace(batch, "cycle"), parameters, number, visit, chain=False)

    def losses(self) -> dict[str, Tensor]:
        """By phase, batch means ``[R]`` of the last run, on the device."""
        return {name: self.quantities[key] for name, *_ in self.phases if (key := f"loss[{name}]") in self.quantities}

    def _workspace(self, batch: Batch, *others: Any) -> Workspace:
        return self.workspaces[(*(tensor.shape for tensor in batch.tensors), batch.share, *others)]

    def _run(
        self,
        batch: Batch,
        workspace: Workspace,
        parameters: Parameters,
        number: int,
        visit: Callable[[Plasticity, Quantities], object],
        chain: bool = True,
    ) -> None:
        like, share = batch.tensors[0], batch.share
        weights = functools.partial(self.store.values, workspace=workspace)
        env: Quantities = {"workspace": workspace, "share": share, **self.store.states(), **parameters}
        n_own = like.shape[1]
        self.quantities = env  # now: a signal may be a function of the activities so far
        for name, plan, sweep, plasticity in self.phases:
            noise = StepNoise(name, number, self.seed, self.store.n_replicas, share, like)
            sweep.run(env, weights, batch.inputs, batch.targets, noise)
            env["chained"] = plasticity.chained(n_own) if chain else frozenset()
            sweep.deliver_to_dendrites(env, weights)
            if plan.objectives:
                env[f"loss[{name}]"] = sweep.loss(env, batch.targets)
            env |= self.feed.signals(batch.signals, share)
            visit(plasticity, env)
