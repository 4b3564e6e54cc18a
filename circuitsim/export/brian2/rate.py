"""A circuit as a non-spiking Brian2 network that takes the same steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.export.brian2.feeding import Feeding
from circuitsim.export.brian2.passes import n_passes
from circuitsim.export.brian2.refusals import refuse
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.schedule import Schedule
from circuitsim.export.brian2.transcribe import transcribe

RUNTIME, STANDALONE = ("numpy", "cython"), "cpp_standalone"


class RateNetwork:
    """One replica in Brian2, by the circuit's own plan: print it to read every equation. Made by `export_brian2`.

    A sample takes one tick. A batch is presented `n_passes` times: twice where a trace takes its mean over the
    batch or an error is shuffled, since Brian2 knows only the sample at hand; in the last pass the changes are added
    up, and its last tick applies them. Synapses are kept as Brian2 orders them, ``[pre, post]``; what is returned
    here has the axes of the circuit, ``[post, pre]``.

    Attributes:
        motif: of the circuit.
        seed: of the circuit's replica.
        plan: what a step does.
        n_passes: how often each batch is presented.
        transcript: groups, synapses and actions, as text.
    """

    def __init__(self, circuit: Circuit, replica: int, target: str, directory: Path | None) -> None:
        from circuitsim.export.brian2.targets import make_target  # here: it imports brian2

        refuse(circuit, runs_python=target != STANDALONE)
        self._replica = Replica.of(circuit, replica)
        self.motif, self.seed = circuit.motif, circuit.seed + replica
        self.plan = self._replica.plan
        self.n_passes = n_passes(self.plan)
        self.transcript = transcribe(self._replica)
        self._target = make_target(self.transcript, target, directory)
        self._feeding = Feeding(circuit, replica)
        self._cycle: Mapping[str, Mapping[str, np.ndarray]] = {}

    @property
    def network(self) -> Any:
        """The `brian2.Network`; its objects are named as the motif's populations and projections."""
        return self._target.network

    # -- running

    def step(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> float | None:
        """One cycle of both streams and one plasticity step; the activities of the batch are kept.

        Args:
            x: ``[batch, input]``; with several inputs a dict by population.
            target: class indices ``[batch]`` or vectors ``[batch, output]``; with several objectives a dict.
            signals: by name, ``[batch]``.
        Returns:
            The batch mean of the loss; None for a motif without objective.
        Raises:
            DataError: x, target or a signal does not fit. Nothing has changed then.
        """
        losses = self.run([(x, target, signals)], record=True)
        return None if losses is None else float(losses[0])

    def run(self, batches: Iterable[tuple[Any, ...]], record: bool = False) -> np.ndarray | None:
        """A step for each batch, in a single run of Brian2: its code is generated (and compiled) once.

        Args:
            batches: (x, target) or (x, target, signals), as in `step`.
            record: keep the activities of the last batch (those of all ticks are held while it runs).
        Returns:
            The loss of each batch, shape ``[batches]``; None for a motif without objective.
        Raises:
            ParameterError: there is no batch.
            DataError: x, target or a signal does not fit. Nothing has changed then.
        """
        given = self._feeding.batches(batches)
        if not given:
            raise ParameterError("run needs at least one batch")
        schedule = Schedule.of([batch for batch, _ in given], self.n_passes)
        recorded = {name: ["activity"] for name in self.plan.outputs}
        if record:
            recorded = {p: ["activity", "drive", *self._currents(p)] for p in self.plan.populations}
        found = self._target.run(schedule, recorded)
        last = schedule.samples[-1]
        self._cycle = {p: {k: v[:, last].T for k, v in of.items()} for p, of in found.items()} if record else {}
        if not self.plan.objectives:
            return None
        outputs = {name: found[name]["activity"].T for name in self.plan.outputs}
        losses = []
        for samples, (_, targets) in zip(schedule.samples, given, strict=True):
            losses.append(self._feeding.loss({name: y[samples] for name, y in outputs.items()}, targets))
        return np.array(losses)

    def _currents(self, population: str) -> list[str]:
        return [f"I_{p.name}" for p in self.plan.projections.values() if p.post == population]

    # -- reading

    def weights(self, projection: str) -> np.ndarray:
        """The weights, as they are now.

        Args:
            projection: its name.
        Returns:
            A copy, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no such projection; the message lists the known ones.
        """
        return self._of_synapses(projection, "w")

    def state(self, owner: str, name: str) -> np.ndarray:
        """A state, as it is now.

        Args:
            owner: name of the population or projection.
            name: of the state.
        Returns:
            A copy, of a population's ``[neuron]``, of a projection's ``[post, pre]``.
        Raises:
            ParameterError: there is no such state; the message lists the known ones.
        """
        if name not in (known := self._replica.states.get(owner, {})):
            raise ParameterError(f"there is no state {name!r} of {owner!r} (known: {', '.join(known) or 'none'})")
        return self._of_synapses(owner, name) if owner in self.plan.projections else self._target.read(owner, name)

    def activity(self, population: str) -> np.ndarray:
        """The activity in the last step.

        Args:
            population: its name.
        Returns:
            A copy, shape ``[batch, neuron]``.
        Raises:
            ParameterError: there is no such population, or nothing was recorded.
        """
        return self._of_cycle(population, "activity")

    def drive(self, population: str) -> np.ndarray:
        """The soma input in the last step.

        Args:
            population: its name.
        Returns:
            A copy, shape ``[batch, neuron]``.
        Raises:
            ParameterError: there is no such population, or nothing was recorded.
        """
        return self._of_cycle(population, "drive")

    def current(self, projection: str) -> np.ndarray:
        """The current that a projection delivered in the last step.

        Args:
            projection: its name.
        Returns:
            A copy, shape ``[batch, post]``.
        Raises:
            ParameterError: there is no such projection, or nothing was recorded.
        """
        return self._of_cycle(self._projection(projection).post, f"I_{projection}")

    def _projection(self, name: str) -> Any:
        if name not in self.plan.projections:
            raise ParameterError(f"there is no projection {name!r} (known: {', '.join(self.plan.projections)})")
        return self.plan.projections[name]

    def _of_synapses(self, projection: str, variable: str) -> np.ndarray:
        dense = np.zeros(self._projection(projection).shape)
        if projection in self.transcript.wirings:
            pre, post = self._replica.synapses(projection)
            dense[post, pre] = self._target.read(projection, variable)
        return dense

    def _of_cycle(self, population: str, variable: str) -> np.ndarray:
        if population not in self.plan.populations:
            raise ParameterError(f"there is no population {population!r} (known: {', '.join(self.plan.populations)})")
        if not self._cycle:
            raise ParameterError(f"no {variable} of {population!r} is kept: use step(...) or run(..., record=True)")
        return self._cycle[population][variable].copy()

    def __str__(self) -> str:
        return str(self.transcript)
