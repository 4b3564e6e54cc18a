"""Play trials in this process, for the targets numpy and cython."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import brian2
import numpy as np
import pandas as pd

from circuitsim.export.brian2.spiking.blueprint import Blueprint, Record
from circuitsim.export.brian2.spiking.build import Build
from circuitsim.export.brian2.targets import preferences

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Played:
    """The results of a run.

    Args:
        outputs: arrays ``[trial, neuron]``, keyed by readout.
        weights: weights ``[synapse]`` after the last trial, keyed by plastic projection.
        spikes: times in ms and indices of neurons, keyed by population and event; empty if spikes were not recorded.
        records: times in ms ``[time]`` and values ``[time, index]`` of what was recorded.
    """

    outputs: Arrays
    weights: Arrays
    spikes: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    records: Mapping[Record, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


class Runtime:
    """Plays trials in this process, with a new network for each call.

    Args:
        language: "numpy" or "cython".
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def play(self, b: Blueprint, played: Arrays, seed: int) -> Played:
        """Play `b.n_trials` trials, from rest.

        Args:
            b: the network, with its weights and parameters.
            played: the arrays of `Blueprint.played`.
            seed: the seed of random spikes.
        """
        with preferences(self.language):
            state = np.random.get_state()  # noqa: NPY002 (Brian2 draws from NumPy's global stream)
            try:
                brian2.seed(seed)
                build = Build(b, played)
                with np.errstate(divide="ignore", invalid="ignore"):  # closed gates discard such values
                    build.run()
            finally:
                np.random.set_state(state)  # noqa: NPY002
            spikes = {
                key: (np.asarray(train.t / brian2.ms), np.asarray(train.i)) for key, train in build.trains.items()
            }
            records = {
                r: (np.asarray(m.t / brian2.ms), np.array(getattr(m, r.variable)).T) for r, m in build.records.items()
            }
            return Played(build.outputs(), build.weights(), spikes, records)


def spike_table(spikes: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Every spike in the order of time, with the columns time_ms, population, neuron and event."""
    parts = [
        pd.DataFrame({"time_ms": times, "population": p, "neuron": who, "event": event})
        for (p, event), (times, who) in spikes.items()
    ]
    return pd.concat(parts, ignore_index=True).sort_values("time_ms", kind="stable", ignore_index=True)
