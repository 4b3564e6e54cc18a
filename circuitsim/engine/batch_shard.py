"""Sharding of batches over processes: each sweeps its own samples, and every batch mean runs over all samples.

Only these operations combine samples: batch means of rule terms and states, `mean(...)` in traces, losses, and shuffled
errors. Noise is drawn for the whole batch, so that it does not depend on the process.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class BatchShard:
    """The samples of one process, part number `rank` of `n_processes` contiguous parts of a batch of `n_samples`.

    Parts are as even as possible. If there are more processes than samples, some parts are empty.
    """

    n_samples: int
    rank: int = 0
    n_processes: int = 1

    @property
    def is_whole(self) -> bool:
        return self.n_processes == 1

    @property
    def own(self) -> slice:
        ends = [(self.rank + k) * self.n_samples // self.n_processes for k in (0, 1)]
        return slice(*ends)

    def part(self, batch: Tensor) -> Tensor:
        """A view of this process's samples of a whole batch ``[replica, sample, ...]``."""
        return batch if self.is_whole else batch[:, self.own]

    def sum_(self, part: Tensor) -> Tensor:
        """Sum over processes, in place, what each has summed over its own samples."""
        if not self.is_whole:
            total = part if part.is_contiguous() else part.contiguous()
            distributed.all_reduce(total)
            if total is not part:
                part.copy_(total)
        return part

    def mean(self, values: Tensor) -> Tensor:
        """The mean ``[replica]`` over the whole batch of numbers ``[replica, own samples]``."""
        return self.sum_(values.sum(1)) / self.n_samples

    def shifted(self, part: Tensor, out: Tensor) -> None:
        """Give each own sample, ``[replica, own samples, ...]``, the values of the sample before it, and the first of
        all those of the last.
        """
        whole = part
        if not self.is_whole:
            whole = torch.zeros(len(part), self.n_samples, *part.shape[2:], dtype=part.dtype, device=part.device)
            whole[:, self.own] = part
            self.sum_(whole)
        out.copy_(whole.roll(1, 1)[:, self.own])


@dataclass(frozen=True)
class Processes:
    """The `n` processes that step together, of which this one has the given rank."""

    rank: int = 0
    n: int = 1

    def shard(self, n_samples: int) -> BatchShard:
        """This process's part of a batch."""
        return BatchShard(n_samples, self.rank, self.n)


ALONE = Processes()
