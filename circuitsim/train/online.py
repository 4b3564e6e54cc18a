"""Running means of loss and accuracy while learning, kept on the device so that no step waits for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine import Circuit


class Online:
    """Sums over the steps since the last `take`."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        objectives = circuit.plan.objectives
        self.classified = (
            objectives[0].output if len(objectives) == 1 and objectives[0].loss == "cross_entropy" else None
        )
        self.last_loss: Tensor | None = None
        self._sums: dict[str, Tensor] = {}
        self._n_steps = 0
        self._latest: dict[str, np.ndarray] = {}

    def add(self, loss: Tensor | None, target: Any) -> None:
        """Add one step: its loss, ``[replica]``, and its target."""
        if loss is None:
            return
        self.last_loss = loss
        self._n_steps += 1
        self._accumulate("loss", loss)
        if self.classified is not None and not isinstance(target, dict):
            chosen = self.circuit.activity(self.classified).argmax(-1)
            target = torch.as_tensor(target, device=chosen.device)
            target = target if target.ndim == 2 else target.unsqueeze(0)
            share = self.circuit.processes.share(target.shape[1])
            self._accumulate("accuracy", share.mean((chosen == share.part(target)).to(loss.dtype))[:, 0])

    def _accumulate(self, name: str, value: Tensor) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _means(self) -> dict[str, np.ndarray]:
        return {name: (total / self._n_steps).double().cpu().numpy() for name, total in self._sums.items()}

    def take(self) -> dict[str, np.ndarray]:
        """The means since the last call, each ``[replica]``."""
        means = self._means()
        self._sums, self._n_steps = {}, 0
        return means

    def summary(self) -> str:
        """The means over replicas, for the display."""
        self._latest = self._means() or self._latest
        return ", ".join(f"{name} {np.nanmean(value):.3f}" for name, value in self._latest.items())
