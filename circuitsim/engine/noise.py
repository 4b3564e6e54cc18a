"""Gaussian noise of populations, keyed so that a replica has the same noise as a single circuit with its seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.draws import generator


class StepNoise:
    """The noise of one phase of one step. It depends only on (seed, phase, population, step), so that a loaded circuit
    continues with the same noise.
    """

    def __init__(self, phase: str, step: int, seeds: Sequence[int], shard: BatchShard, like: Tensor) -> None:
        self.purpose, self.seeds = f"noise/{phase}/{step}", seeds
        self.shard, self.like = shard, like

    def __call__(self, population: str, size: int) -> Tensor:
        """Draw standard normal noise ``[replica, own samples, neuron]``, on the CPU and for the whole batch."""
        draws = [
            generator(seed, population, self.purpose).standard_normal((self.shard.n_samples, size))
            for seed in self.seeds
        ]
        return self.shard.part(torch.as_tensor(np.stack(draws))).to(dtype=self.like.dtype).to(device=self.like.device)
