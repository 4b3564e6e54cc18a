"""What every part of a plan is lowered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.cells import Cell
from circuitsim.export.brian2.spiking.delays import Delays
from circuitsim.export.brian2.spiking.model import Spiking, Stream
from circuitsim.export.brian2.spiking.reads import Reads


@dataclass(frozen=True)
class Lowering:
    """The description that is being made, and what it is made from."""

    b: Blueprint  # to which parts are added
    spiking: Spiking
    replica: Replica
    cells: Mapping[str, Cell]  # the neuron models of the populations that are kept
    # the variables that hold expressions in means, keyed by group and expression (`pools`)
    shared: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def rests(self) -> bool:
        """Whether every trial begins at rest."""
        return self.spiking.trial is not None and self.spiking.trial.rests

    @cached_property
    def reads(self) -> Reads:
        """The quantities that rules read."""
        return Reads(self.replica.plan)

    @cached_property
    def delays(self) -> Delays:
        """When spikes arrive, and what that leaves of traces."""
        return Delays(self.replica.plan, self.spiking)

    def stream(self, population: str) -> Stream:
        """The settings of a population's stream."""
        return self.spiking.stream(self.replica.plan.populations[population].stream)
