"""What is given to a step: checked as the circuit checks it, and named as the network reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit
from circuitsim.engine.feed import Feed
from circuitsim.engine.losses import LOSSES
from circuitsim.engine.noise import StepNoise
from circuitsim.engine.share import Share
from circuitsim.errors import DataError
from circuitsim.export.brian2.cycles import Cycle
from circuitsim.export.brian2.schedule import Batch

Tensors = Mapping[str, torch.Tensor]  # by population, with the circuit's leading axis of replicas: one here


class Feeding:
    """Batches for one replica of a circuit.

    Args:
        circuit: gives the seed, and the number of the next step, of which noise depends.
        replica: which.
        cycles: the phases of a step.
    """

    def __init__(self, circuit: Circuit, replica: int, cycles: Sequence[Cycle]) -> None:
        self.motif, self.cycles = circuit.motif, cycles
        self.seed, self.step = circuit.seed + replica, circuit.n_steps
        self._feed = Feed(circuit.motif, circuit.plans, 1, torch.device("cpu"), torch.float64)

    def batches(self, given: Iterable[tuple[Any, ...]]) -> list[tuple[Batch, Tensors]]:
        """Batches of the steps to come, each with its targets as losses take them.

        Args:
            given: (x, target) or (x, target, signals).
        Raises:
            DataError: something does not fit; no step has come then.
        """
        found = [self._batch(self.step + k, *values) for k, values in enumerate(given)]
        self.step += len(found)
        return found

    def _batch(self, step: int, x: Any, target: Any = None, signals: Any = None) -> tuple[Batch, Tensors]:
        inputs = self._feed.inputs(x)
        n_samples = next(iter(inputs.values())).shape[1]
        targets = self._feed.targets(target, n_samples) if self.motif.objectives else {}
        arrays = {f"input_{name}": value[0].numpy() for name, value in inputs.items()}
        arrays |= {f"target_{name}": self._vectors(name, value) for name, value in targets.items()}
        arrays |= self._signals(signals, n_samples) | self._noise(step, n_samples)
        return Batch(n_samples, arrays), targets

    def _vectors(self, name: str, target: torch.Tensor) -> np.ndarray:
        """Classes one-hot."""
        values = target[0].numpy()
        return np.eye(self.motif.population(name).size)[values] if values.ndim == 1 else values

    def _signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> dict[str, np.ndarray]:
        given = self._feed.check_signals(signals, n_samples)
        if functions := [name for name, value in given.items() if callable(value)]:
            raise DataError(f"signal {functions[0]!r}: Brian2 cannot ask a function of the circuit; give numbers")
        values = self._feed.signals(given, Share(n_samples))
        return {f"batch_signal_{name}": values[f"signal[{name}]"][0, :, 0].numpy() for name in given}

    def _noise(self, step: int, n_samples: int) -> dict[str, np.ndarray]:
        """That of the circuit itself, which is keyed by seed, phase, step and population."""
        like = torch.empty(0, dtype=torch.float64)
        found: dict[str, np.ndarray] = {}
        for cycle in self.cycles:
            draw = StepNoise(cycle.phase, step, self.seed, 1, Share(n_samples), like)
            noisy = [p for p in cycle.plan.populations.values() if p.noise]
            found |= {f"noise_{p.name}{cycle.suffix}": draw(p.name, p.size)[0].numpy() for p in noisy}
        return found

    def loss(self, outputs: Mapping[str, np.ndarray], targets: Tensors) -> float:
        """The batch mean; the network itself needs the gradient of the loss alone.

        Args:
            outputs: by population, ``[batch, neuron]``.
            targets: from `batches`.
        """
        total = 0.0
        for o in self.motif.objectives:
            output = torch.as_tensor(outputs[o.output]).unsqueeze(0)
            total += float(LOSSES[o.loss].of(output, targets[o.output]).mean())
        return total
