"""A non-spiking Brian2 network that takes the same steps as the circuit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.export.brian2.blueprint import Blueprint, Record
from circuitsim.export.brian2.exported import STANDALONE, ExportedNetwork
from circuitsim.export.brian2.feeding import TICK_MS, Feeding, Tensors, n_passes, scheduled
from circuitsim.export.brian2.language import of_neuron, of_synapse
from circuitsim.export.brian2.refusals import refuse_rates
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.results import Arrays
from circuitsim.export.brian2.script import write_script
from circuitsim.export.brian2.transcribe import transcribe
from circuitsim.plan.circuitry import judging_phase


class RateNetwork(ExportedNetwork):
    """One replica of a circuit in Brian2, which follows the circuit's own plan. Made by `export_brian2`.

    Printing it shows every equation. One sample takes one tick. A batch is presented `n_passes` times: once for each
    phase, and once more where a trace takes its mean over the batch or an error is shuffled, because Brian2 sees only
    one sample at a time. The last pass of a phase sums up its changes, and the last tick of that pass applies them.

    A step takes `x`, ``[batch, input]`` or a dict keyed by population for several inputs, `target`, class indices
    ``[batch]`` or vectors ``[batch, output]``, or a dict for several objectives, and `signals`, values ``[batch]``
    keyed by name. `batches` are (x, target) or (x, target, signals) for each step. A `population` or `projection` is
    given by its name. Arrays returned here are copies with the circuit's axes, ``[post, pre]``.

    Attributes:
        motif: the circuit's motif.
        seed: the seed of the exported replica.
        plans: what a step computes, with one plan for each phase.
        n_passes: how often each batch is presented.
        blueprint: the description of all groups, synapses and actions.
    """

    def __init__(self, circuit: Circuit, replica: int, target: str, directory: Path | None) -> None:
        refuse_rates(circuit, runs_python=target != STANDALONE)
        exported = Replica.of(circuit, replica)
        super().__init__(exported, transcribe(exported), target, directory, keeps=True)
        self.plans, cycles = circuit.plans, exported.cycles
        self._passes = {cycle.suffix: n_passes(cycle.plan) for cycle in cycles}
        self.n_passes = sum(self._passes.values())
        self._feeding = Feeding(circuit, replica, cycles)
        self._current_of = {name: cycle.current(name) for cycle in cycles for name in cycle.plan.projections}
        self._judged = {  # by error population: the output's activity in the phase that judges it
            o.error: (o.output, f"activity{cycle.suffix}")
            for o in self.motif.objectives
            for cycle in cycles
            if cycle.phase == judging_phase(o, self.plans)
        }
        self._cycle: Mapping[tuple[str, str], np.ndarray] = {}

    @property
    def network(self) -> Any:
        """The `brian2.Network`, whose objects have the names of the motif's populations and projections. Its time is 0
        at the beginning of each run."""
        return self._player.network(self.blueprint)

    # -- running

    def step(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> float | None:
        """Run one step: for each phase both streams, then plasticity. The activities of the batch are kept.

        Returns:
            The batch mean of the losses of all objectives, each in the phase in which it is evaluated, or None for a
            motif without objectives.
        Raises:
            DataError: x, target or a signal does not fit. The network is then unchanged.
        """
        losses = self.run([(x, target, signals)], record=True)
        return None if losses is None else float(losses[0])

    def run(self, batches: Iterable[tuple[Any, ...]], record: bool = False) -> np.ndarray | None:
        """Run a step for each batch, in a single run of Brian2, so that code is generated (and compiled) once.

        Args:
            record: keep the activities of the last batch. During the run, those of all ticks are held in memory.
        Returns:
            The loss of each batch, shape ``[batches]``, or None for a motif without objectives.
        Raises:
            ParameterError: there are no batches.
            DataError: x, target or a signal does not fit. The network is then unchanged.
        """
        b, played, shown = self._scheduled(batches, record)
        found = self._player.play(b, played, seed=0)
        self.blueprint.update(found.values)
        self._feeding.step += len(shown)
        kept = {(r.owner, r.variable): values for r, (_, values) in found.records.items()}
        last, _ = shown[-1]
        self._cycle = {key: values[last] for key, values in kept.items()} if record else {}
        if not self._judged:
            return None
        losses = []
        for ticks, targets in shown:
            outputs = {error: kept[judged][ticks] for error, judged in self._judged.items()}
            losses.append(self._feeding.loss(outputs, targets))
        return np.array(losses)

    def export_script(self, path: Any, batches: Iterable[tuple[Any, ...]]) -> Path:
        """Write a Python file in plain Brian2 that does what `run` does from the current state, and does not need
        circuitsim.

        Args:
            path: the file, which includes weights and batches.
        Returns:
            The path.
        Raises:
            ParameterError: there are no batches.
            DataError: x, target or a signal does not fit.
            ArchiveError: the file cannot be written.
        """
        b, played, _ = self._scheduled(batches, record=False)
        self.blueprint.update(self._player.values(b))
        return write_script(path, b, played, seed=0)

    def _scheduled(
        self, batches: Iterable[tuple[Any, ...]], record: bool
    ) -> tuple[Blueprint, Arrays, list[tuple[slice, Tensors]]]:
        """The blueprint of a run that records what losses need, what is played, and each batch's ticks and targets."""
        given = self._feeding.batches(batches)
        if not given:
            raise ParameterError("run needs at least one batch")
        played, samples = scheduled([batch for batch, _ in given], self._passes)
        recorded = dict.fromkeys(self._judged.values())
        if record:
            recorded |= dict.fromkeys((p.name, kind) for p in self.motif.populations for kind in ("activity", "drive"))
            recorded |= {(self._projection(p).post, current): None for p, current in self._current_of.items()}
        records = tuple(
            Record(owner, variable, TICK_MS, tuple(range(self.blueprint.neurons[owner].size)))
            for owner, variable in recorded
        )
        b = dataclasses.replace(self.blueprint, length_ms=len(played["share"]) * TICK_MS, records=records)
        return b, played, list(zip(samples, (targets for _, targets in given), strict=True))

    # -- reading

    def state(self, owner: str, name: str) -> np.ndarray:
        """The current value of a state.

        Args:
            owner: the name of the population or projection.
            name: the name of the state.
        Returns:
            Shape ``[neuron]`` for a population and ``[post, pre]`` for a projection.
        Raises:
            ParameterError: there is no such state; the message lists the known ones.
        """
        if name not in (known := self._replica.states.get(owner, {})):
            raise ParameterError(f"there is no state {name!r} of {owner!r} (known: {', '.join(known) or 'none'})")
        if owner in self.blueprint.neurons:
            return np.array(self._player.values(self.blueprint)[owner][of_neuron(name)])
        if owner not in self.blueprint.wires:
            return np.zeros(self._replica.masks[owner].shape)
        return self._of_synapses(owner, of_synapse(name))

    def activity(self, population: str) -> np.ndarray:
        """The activity of a population in the last step.

        Returns:
            Shape ``[batch, neuron]``.
        Raises:
            ParameterError: there is no such population, or nothing was recorded.
        """
        return self._of_cycle(population, "activity")

    def drive(self, population: str) -> np.ndarray:
        """The soma input of a population in the last step.

        Returns:
            Shape ``[batch, neuron]``.
        Raises:
            ParameterError: there is no such population, or nothing was recorded.
        """
        return self._of_cycle(population, "drive")

    def current(self, projection: str) -> np.ndarray:
        """The current that a projection delivered in the last step.

        Returns:
            Shape ``[batch, post]``.
        Raises:
            ParameterError: there is no such projection, it delivers nothing in any phase, or nothing was recorded.
        """
        post = self._projection(projection).post
        if projection not in self._current_of:
            raise ParameterError(f"projection {projection!r} delivers no current in any phase")
        return self._of_cycle(post, self._current_of[projection])

    def _of_cycle(self, population: str, variable: str) -> np.ndarray:
        if population not in (known := [p.name for p in self.motif.populations]):
            raise ParameterError(f"there is no population {population!r} (known: {', '.join(known)})")
        if not self._cycle:
            raise ParameterError(
                f"no {variable} of {population!r} was recorded: use step(...) or run(..., record=True)"
            )
        return self._cycle[population, variable].copy()
