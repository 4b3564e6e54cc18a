"""Play trials in this process, for the targets numpy and cython."""

from __future__ import annotations

import brian2
import numpy as np

from circuitsim.export.brian2.spiking.blueprint import Blueprint
from circuitsim.export.brian2.spiking.build import Build
from circuitsim.export.brian2.spiking.progress import Report, ignore
from circuitsim.export.brian2.spiking.recording import Arrays, Played
from circuitsim.export.brian2.targets import preferences


class Runtime:
    """Plays trials in this process, with a new network for each call.

    Args:
        language: "numpy" or "cython".
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Played:
        """Play `b.n_trials` trials, from rest.

        Args:
            b: the network, with its weights and parameters.
            played: the arrays of `Blueprint.played`.
            seed: the seed of random spikes.
            report: is told now and then which share of the run is done.
        """
        with preferences(self.language):
            state = np.random.get_state()  # noqa: NPY002 (Brian2 draws from NumPy's global stream)
            try:
                brian2.seed(seed)
                build = Build(b, played)
                with np.errstate(divide="ignore", invalid="ignore"):  # closed gates discard such values
                    build.run(lambda elapsed, completed, start, duration: report(completed))
            finally:
                np.random.set_state(state)  # noqa: NPY002
            spikes = {
                key: (np.asarray(train.t / brian2.ms), np.asarray(train.i)) for key, train in build.trains.items()
            }
            records = {
                r: (np.asarray(m.t / brian2.ms), np.array(getattr(m, r.variable)).T) for r, m in build.records.items()
            }
            return Played(build.outputs(), build.weights(), spikes, records)
