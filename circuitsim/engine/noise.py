"""Gaussian noise of populations, keyed so that a replica gets the noise of its solo circuit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.draws import generator
from circuitsim.engine.share import Share


class StepNoise:
    """The noise of one phase of one step. It depends on (seed, phase, population, step) and on nothing drawn before,
    so a circuit that was saved and loaded goes on with the same noise.
    """

    def __init__(self, phase: str, step: int, seed: int, n_replicas: int, share: Share, like: Tensor) -> None:
        self.purpose, self.seed, self.n_replicas = f"noise/{phase}/{step}", seed, n_replicas
        self.share, self.like = share, like

    def __call__(self, population: str, size: int) -> Tensor:
        """Standard normal, shape ``[replica, own samples, neuron]``; the whole batch's is drawn, on the CPU."""
        draws = [
            generator(self.seed + r, population, self.purpose).standard_normal((self.share.n_samples, size))
            for r in range(self.n_replicas)
        ]
        return self.share.part(torch.as_tensor(np.stack(draws))).to(dtype=self.like.dtype).to(device=self.like.device)
