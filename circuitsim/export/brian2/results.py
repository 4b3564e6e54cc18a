"""What a run gives, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from circuitsim.export.brian2.blueprint import Blueprint, Record

Arrays = Mapping[str, np.ndarray]
Spikes = Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]  # keyed by group and event


@dataclass(frozen=True)
class Results:
    """The results of a run.

    Args:
        values: the variables after the run, ``[neuron]`` or ``[synapse]``, keyed by part and then by name.
        records: times in ms ``[time]`` and values ``[time, index]`` of what was recorded.
        spikes: times in ms and indices of neurons; empty if spikes were not recorded.
    """

    values: Mapping[str, Arrays]
    records: Mapping[Record, tuple[np.ndarray, np.ndarray]]
    spikes: Spikes = field(default_factory=dict)

    def outputs(self, b: Blueprint) -> dict[str, np.ndarray]:
        """The outputs ``[trial, neuron]`` of each readout: what later trials find, and what the last one leaves."""
        reads = {r.owner: values for r, (_, values) in self.records.items() if r.when == "start"}
        return {name: np.vstack([reads[name][1:], self.values[name]["F"]]) for name in b.readouts}
