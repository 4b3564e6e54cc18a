"""Running means of loss and accuracy while learning, kept on the device so that steps need no synchronisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.train.metrics import tag


class OnlineMetrics:
    """Sums of the metrics over the steps since the last `take`."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        classified = [o for o in circuit.motif.objectives if o.loss == "cross_entropy"]
        self.classified = {o.output: f"accuracy{tag(circuit.motif, o)}" for o in classified}
        self.last_loss: Tensor | None = None
        self._sums: dict[str, Tensor] = {}
        self._n_steps = 0
        self._latest: dict[str, np.ndarray] = {}

    def add(self, loss: Tensor | None, target: Any) -> None:
        """Add the loss ``[replica]`` of one step, and its accuracy given the target."""
        if loss is None:
            return
        self.last_loss = loss
        self._n_steps += 1
        self._accumulate("loss", loss)
        for output, metric in self.classified.items():
            chosen = self.circuit.judged(output).argmax(-1)
            given = target[output] if isinstance(target, Mapping) else target
            classes = torch.as_tensor(given, device=chosen.device)
            classes = classes if classes.ndim == chosen.ndim else classes.unsqueeze(0)
            shard = self.circuit.processes.shard(classes.shape[1])
            right = (chosen == shard.part(classes)).to(loss.dtype)
            self._accumulate(metric, shard.mean(right.flatten(2).mean(2) if right.ndim == 3 else right))

    def _accumulate(self, name: str, value: Tensor) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _means(self) -> dict[str, np.ndarray]:
        return {name: (total / self._n_steps).double().cpu().numpy() for name, total in self._sums.items()}

    def take(self) -> dict[str, np.ndarray]:
        """Return the means since the last call, each of shape ``[replica]``, and start anew."""
        means = self._means()
        self._sums, self._n_steps = {}, 0
        return means

    def summary(self) -> str:
        """Return the means over the replicas that are not pinned as text, for the display."""
        self._latest = self._means() or self._latest
        pinned = list(self.circuit.pinned)
        kept = {name: np.delete(value, pinned) for name, value in self._latest.items()}
        shown = [f"{name} {np.nanmean(value):.3f}" for name, value in kept.items() if np.isfinite(value).any()]
        return ", ".join([*shown, f"{len(pinned)} replicas pinned, left out"] if pinned else shown)
