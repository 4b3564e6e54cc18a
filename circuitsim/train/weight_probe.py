"""A probe that keeps copies of weights, for animations and for `circuitsim view`."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.history import History
from circuitsim.train.probe import Probe
from circuitsim.weight_history import Array, Indices, WeightHistory

N_MOMENTS = 20  # over a run, besides the one at its start


@dataclass(frozen=True, eq=False)
class WeightProbe(Probe):
    """Keeps one replica's weights over a run, in a `WeightHistory`.

    Of a population with more than `n_neurons` neurons as many are kept, evenly spaced by index, so that a run of the
    paper's circuit takes a few megabytes.

    Args:
        every_epochs, every_steps: as in `Probe`.
        path: an .npz file that is written anew at each moment, so that a run can be looked at while it goes on.
        n_neurons: at most so many of each population.
        kept: where the weights go; give what was loaded from a file to go on from it.
    Raises:
        ParameterError: `n_neurons` is not a positive integer; when called, `kept.replica` is not a replica.
        ArchiveError: when called, the file cannot be written.
    Example:
        >>> import circuitsim as cs
        >>> cs.WeightProbe(every_epochs=2, n_neurons=32).kept.epochs  # nothing yet: give it to `fit`
        []
    """

    function: Any = field(default=None, init=False)  # `call` is all there is
    path: str | os.PathLike[str] | None = None
    n_neurons: int = 64
    kept: WeightHistory = field(default_factory=WeightHistory)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.n_neurons, int) or self.n_neurons < 1:
            raise ParameterError(f"WeightProbe: n_neurons must be a positive integer (got {self.n_neurons!r})")

    def call(self, name: str, circuit: Circuit, history: History, epoch: float) -> None:
        """Add this moment to `kept`, and write the file.

        Args:
            name: of the probe; not used.
            circuit: is not changed.
            history: not used.
            epoch: epochs done, may be fractional.
        Raises:
            ParameterError: `kept.replica` is not a replica of the circuit.
            ArchiveError: the file cannot be written.
        """
        if not 0 <= self.kept.replica < circuit.n_replicas:
            raise ParameterError(f"WeightProbe: replica {self.kept.replica} is not among {circuit.n_replicas}")
        for population in circuit.motif.populations:
            self.kept.neurons[population.name] = _spaced(int(population.size), self.n_neurons)
        weights = {p.name: _between_kept(circuit, p.name, self.kept) for p in circuit.motif.projections}
        self.kept.add(circuit.n_steps, epoch, weights)
        if self.path is not None:
            self.kept.save(self.path)


def every_for(epochs: int) -> int:
    """Epochs between moments, so that there are at most 21."""
    return max(1, math.ceil(epochs / N_MOMENTS))


def _spaced(size: int, at_most: int) -> Indices:
    return np.round(np.linspace(0, size - 1, min(size, at_most))).astype(np.int64)


def _between_kept(circuit: Circuit, projection: str, kept: WeightHistory) -> Array:
    """Shape ``[post, pre]``; synapse by synapse, so that sparse projections of any size will do."""
    p, layout = circuit.motif.projection(projection), circuit.layouts[projection]
    post, pre = (index.cpu().numpy() for index in layout.synapses(kept.replica))
    weight = layout.at_synapses(circuit.values(projection), kept.replica).float().cpu().numpy()
    rows, columns = (_position(kept.neurons[end], ends) for end, ends in ((p.post, post), (p.pre, pre)))
    found = np.full((len(kept.neurons[p.post]), len(kept.neurons[p.pre])), np.nan, dtype=np.float32)
    both = (rows >= 0) & (columns >= 0)
    found[rows[both], columns[both]] = weight[both]
    return found


def _position(kept: Indices, ends: np.ndarray) -> np.ndarray:
    """Where each neuron stands among those that are kept; -1 if it is not."""
    place = np.minimum(np.searchsorted(kept, ends), len(kept) - 1)
    return np.where(kept[place] == ends, place, -1)
