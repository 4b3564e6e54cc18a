"""Recordings of the weights between some neurons of one replica over a run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import ArchiveError, ParameterError
from circuitsim.npz import read_npz, write_npz

Array = NDArray[np.float32]
Indices = NDArray[np.int64]
NEURONS, WEIGHTS = "neurons/", "weights/"  # prefixes of the arrays' names in a file


@dataclass
class WeightHistory:
    """The weights of one replica at several moments, as recorded by `WeightProbe`.

    Attributes:
        replica: the index of the replica.
        epochs: the epoch of each moment, which may be fractional.
        steps: the step of each moment.
        neurons: maps populations to the ascending indices of the recorded neurons.
        weights: maps projections to the weights between recorded neurons, float32 of shape
            ``[moment, post, pre]``, dimensionless; NaN where there is no synapse.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> data, probe = cs.load_dataset("teacher"), cs.WeightProbe()
        >>> circuit = cs.compile(sal([data.n_features, 8, data.n_outputs]))
        >>> _ = cs.fit(circuit, data, epochs=3, probes={"weights": probe}, progress=False)
        >>> probe.kept.epochs
        [0.0, 1.0, 2.0, 3.0]
        >>> probe.kept.weights["W0"].shape == (4, 8, data.n_features)
        True
    """

    replica: int = 0
    epochs: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    neurons: dict[str, Indices] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)

    def add(self, step: int, epoch: float, weights: Mapping[str, Array]) -> None:
        """Append a moment. In a resumed run, this replaces earlier recordings of the same and of later steps.

        Args:
            step: the number of steps of the circuit.
            epoch: the number of completed epochs, which may be fractional.
            weights: the weights of every projection, of shape ``[post, pre]``.
        Raises:
            ParameterError: these are not the projections and shapes of the moments before; nothing has changed.
        """
        n = sum(earlier < step for earlier in self.steps)
        shapes = {name: np.shape(now) for name, now in weights.items()}
        known = {name: array.shape[1:] for name, array in self.weights.items()}
        if n and shapes != known:
            raise ParameterError(f"a moment needs weights of the shapes {known} (got {shapes})")
        self.steps, self.epochs = [*self.steps[:n], step], [*self.epochs[:n], float(epoch)]
        for name, now in weights.items():
            array = np.asarray(now, dtype=np.float32)[None]
            self.weights[name] = np.concatenate([self.weights[name][:n], array]) if n else array

    def at(self, moments: Sequence[int]) -> WeightHistory:
        """Select some of the moments.

        Args:
            moments: the ascending positions of the moments, counted from 0.
        Returns:
            A history of these moments.
        """
        weights = {name: array[list(moments)] for name, array in self.weights.items()}
        epochs, steps = [self.epochs[k] for k in moments], [self.steps[k] for k in moments]
        return WeightHistory(self.replica, epochs, steps, dict(self.neurons), weights)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history to an .npz file atomically, creating missing folders.

        Args:
            path: the path of the file.
        Raises:
            ArchiveError: the file cannot be written.
        """
        arrays = {
            "replica": np.array(self.replica),
            "epochs": np.array(self.epochs, dtype=np.float64),
            "steps": np.array(self.steps, dtype=np.int64),
        }
        arrays |= {NEURONS + name: indices for name, indices in self.neurons.items()}
        write_npz(Path(path), arrays | {WEIGHTS + name: array for name, array in self.weights.items()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WeightHistory:
        """Read a history written by `save`.

        Args:
            path: the path of the file.
        Returns:
            The history.
        Raises:
            ArchiveError: the file is missing, its arrays are inconsistent (the message names the array), or it is far
                larger unpacked than packed.
        """
        arrays = read_npz(path)
        if missing := [name for name in ("replica", "epochs", "steps") if name not in arrays]:
            raise ArchiveError(f"{path}: array {missing[0]!r} is missing, so this is not a weight history")
        n = arrays["epochs"].size
        shapes: dict[str, tuple[int, ...]] = {"replica": (), "epochs": (n,), "steps": (n,)}
        for name, array in arrays.items():
            is_weight = name.startswith(WEIGHTS)
            expected = shapes.get(name, (n, *array.shape[-2:]) if is_weight else (array.size,))
            kinds = "f" if is_weight or name == "epochs" else "iu"
            if array.dtype.kind not in kinds or array.shape != expected:
                raise ArchiveError(
                    f"{path}: array {name!r} has {array.dtype} of shape {list(array.shape)}, needs "
                    f"{'floats' if kinds == 'f' else 'integers'} of shape {list(expected)}"
                )
        return cls(
            int(arrays["replica"]), arrays["epochs"].tolist(), arrays["steps"].tolist(),
            {name.removeprefix(NEURONS): array for name, array in arrays.items() if name.startswith(NEURONS)},
            {name.removeprefix(WEIGHTS): array for name, array in arrays.items() if name.startswith(WEIGHTS)},
        )  # fmt: skip
