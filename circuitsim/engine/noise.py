"""Gaussian noise of populations, keyed so that a replica has the same noise as a single circuit with its seed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.draws import generator


class StepNoise:
    """The noise of one phase of one step. It depends only on (seed, phase, population, step), so that a loaded circuit
    continues with the same noise.
    """

    def __init__(self, phase: str, step: int, seed: int, n_replicas: int, shard: BatchShard, like: Tensor) -> None:
        self.purpose, self.seed, self.n_replicas = f"noise/{phase}/{step}", seed, n_replicas
        self.shard, self.like = shard, like

    def __call__(self, population: str, size: int) -> Tensor:
        """Draw standard normal noise ``[replica, own samples, neuron]``, on the CPU and for the whole batch."""
        draws = [
            generator(self.seed + r, population, self.purpose).standard_normal((self.shard.n_samples, size))
            for r in range(self.n_replicas)
        ]
        return self.shard.part(torch.as_tensor(np.stack(draws))).to(dtype=self.like.dtype).to(device=self.like.device)
