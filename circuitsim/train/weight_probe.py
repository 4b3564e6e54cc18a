"""A probe that records weights, for animations and for `circuitsim view`."""

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
from circuitsim.whole import whole

N_MOMENTS = 20  # per run, not counting the start


@dataclass(frozen=True, eq=False)
class WeightProbe(Probe):
    """Records the weights of one replica over a run, in a `WeightHistory`.

    Of larger populations, only `n_neurons` neurons are recorded, evenly spaced by index, so that a run of the
    paper's circuit takes a few megabytes.

    Args:
        every_epochs, every_steps: as in `Probe`.
        path: an .npz file that is rewritten at each recording, so that a run can be viewed while it continues.
        n_neurons: the largest number of neurons to record per population.
        kept: the `WeightHistory` that receives the weights; pass one that was loaded from a file to continue it.
    Raises:
        ParameterError: `n_neurons` is not a positive whole number; when called, `kept.replica` is not a replica.
        ArchiveError: when called, the file cannot be written.
    Example:
        >>> import circuitsim as cs
        >>> cs.WeightProbe(every_epochs=2, n_neurons=32).kept.epochs  # empty until the probe is passed to `fit`
        []
    """

    function: Any = field(default=None, init=False)  # this class overrides `call` instead
    path: str | os.PathLike[str] | None = None
    n_neurons: int = 64
    kept: WeightHistory = field(default_factory=WeightHistory)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "n_neurons", whole("WeightProbe: n_neurons", self.n_neurons, least=1))

    def call(self, name: str, circuit: Circuit, history: History, epoch: float) -> None:
        """Add the current weights to `kept`, and write the file.

        Args:
            name: the name of the probe; not used.
            circuit: the circuit; it is not changed.
            history: not used.
            epoch: the number of completed epochs, which may be fractional.
        Raises:
            ParameterError: `kept.replica` is not a replica of the circuit.
            ArchiveError: the file cannot be written.
        """
        if not 0 <= self.kept.replica < circuit.n_replicas:
            raise ParameterError(
                f"WeightProbe: replica {self.kept.replica} does not exist; the circuit has {circuit.n_replicas}"
            )
        for population in circuit.motif.populations:
            self.kept.neurons[population.name] = _spaced(int(population.size), self.n_neurons)
        weights = {p.name: _between_kept(circuit, p.name, self.kept) for p in circuit.motif.projections}
        self.kept.add(circuit.n_steps, epoch, weights)
        if self.path is not None:
            self.kept.save(self.path)


def every_for(epochs: int) -> int:
    """Return the number of epochs between recordings that gives at most 21 of them."""
    return max(1, math.ceil(epochs / N_MOMENTS))


def _spaced(size: int, at_most: int) -> Indices:
    return np.round(np.linspace(0, size - 1, min(size, at_most))).astype(np.int64)


def _between_kept(circuit: Circuit, projection: str, kept: WeightHistory) -> Array:
    """Return the weights ``[post, pre]`` between the recorded neurons, without making a sparse projection dense."""
    p, layout = circuit.motif.projection(projection), circuit.layouts[projection]
    post, pre = (index.cpu().numpy() for index in layout.synapses(kept.replica))
    weight = layout.at_synapses(circuit.values(projection), kept.replica).float().cpu().numpy()
    rows, columns = (_position(kept.neurons[end], ends) for end, ends in ((p.post, post), (p.pre, pre)))
    found = np.full((len(kept.neurons[p.post]), len(kept.neurons[p.pre])), np.nan, dtype=np.float32)
    both = (rows >= 0) & (columns >= 0)
    found[rows[both], columns[both]] = weight[both]
    return found


def _position(kept: Indices, ends: np.ndarray) -> np.ndarray:
    """Return the position of each neuron among the recorded ones, or -1."""
    place = np.minimum(np.searchsorted(kept, ends), len(kept) - 1)
    return np.where(kept[place] == ends, place, -1)
