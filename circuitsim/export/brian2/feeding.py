"""The inputs of a step, validated as the circuit validates them and named as the Brian2 network reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit
from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.draws import draw_noise
from circuitsim.engine.input_binder import InputBinder
from circuitsim.engine.losses import LOSSES
from circuitsim.errors import DataError
from circuitsim.export.brian2.cycles import Cycle
from circuitsim.export.brian2.schedule import Arrays

Tensors = Mapping[str, torch.Tensor]  # keyed by population; the leading axis of replicas has length 1


class Feeding:
    """Makes batches for one replica of a circuit.

    Args:
        circuit: the circuit, whose seed and step number determine the noise.
        replica: the replica's index.
        cycles: the phases of a step.
    """

    def __init__(self, circuit: Circuit, replica: int, cycles: Sequence[Cycle]) -> None:
        self.motif, self.cycles = circuit.motif, cycles
        self.seed, self.step = circuit.seeds[replica], circuit.n_steps
        self._binder = InputBinder(circuit.motif, circuit.plans, 1, torch.device("cpu"), torch.float64)

    def batches(self, given: Iterable[tuple[Any, ...]]) -> list[tuple[Arrays, Tensors]]:
        """Make the batches of the next steps, from `step` on, each with its targets in the form that losses take.

        The arrays of a batch have one row per sample, and are keyed by ``input_<population>``, ``target_<population>``,
        ``signal_<signal>`` and ``noise_<population>`` (``noise_<population>_<phase>`` with several phases).

        Args:
            given: (x, target) or (x, target, signals) for each step.
        Raises:
            DataError: x, a target or a signal does not fit.
        """
        return [self._batch(self.step + k, *values) for k, values in enumerate(given)]

    def inputs(self, x: Any) -> dict[str, np.ndarray]:
        """The arrays of inputs ``[batch, neuron]``.

        Raises:
            DataError: x does not fit.
        """
        return _arrays(self._binder.inputs(x))

    def _batch(self, step: int, x: Any, target: Any = None, signals: Any = None) -> tuple[Arrays, Tensors]:
        inputs = self._binder.inputs(x)
        n_samples = next(iter(inputs.values())).shape[1]
        targets = self._binder.targets(target, inputs) if self.motif.objectives else {}
        arrays = _arrays(inputs)
        arrays |= {f"target_{name}": self._vectors(name, value) for name, value in targets.items()}
        arrays |= self._signals(signals, n_samples) | self._noise(step, n_samples)
        return arrays, targets

    def _vectors(self, name: str, target: torch.Tensor) -> np.ndarray:
        """Targets as vectors; classes become one-hot."""
        values = target[0].numpy()
        return np.eye(self.motif.population(name).size)[values] if values.ndim == 1 else values

    def _signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> dict[str, np.ndarray]:
        given = self._binder.check_signals(signals, n_samples)
        if functions := [name for name, value in given.items() if callable(value)]:
            raise DataError(f"signal {functions[0]!r}: Brian2 cannot call a function of the circuit; give numbers")
        values = {name: self._binder.signal(name, value, BatchShard(n_samples)) for name, value in given.items()}
        return {f"signal_{name}": value[0, :, 0].numpy() for name, value in values.items()}

    def _noise(self, step: int, n_samples: int) -> dict[str, np.ndarray]:
        """The same noise as in the circuit, where it is determined by seed, phase, step and population."""
        found: dict[str, np.ndarray] = {}
        for cycle in self.cycles:
            for p in (p for p in cycle.plan.populations.values() if p.noise):
                drawn = draw_noise(p.name, p.size, cycle.phase, step, [self.seed], n_samples)
                found[f"noise_{p.name}{cycle.suffix}"] = drawn[0]
        return found

    def loss(self, outputs: Mapping[str, np.ndarray], targets: Tensors) -> float:
        """The batch mean of the loss, of which the network itself computes only the gradient.

        Args:
            outputs: for each error population, the activity that its objective evaluates, ``[batch, neuron]``.
            targets: targets from `batches`.
        """
        total = 0.0
        for o in self.motif.objectives:
            output = torch.as_tensor(outputs[o.error]).unsqueeze(0)
            total += float(LOSSES[o.loss].of(output, targets[o.output]).mean())
        return total


def _arrays(inputs: Tensors) -> dict[str, np.ndarray]:
    return {f"input_{name}": value[0].numpy() for name, value in inputs.items()}
