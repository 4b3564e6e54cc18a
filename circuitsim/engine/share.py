"""A batch shared among processes: each sweeps its own samples, and every batch mean runs over all of them.

The places where samples meet are few: batch means of rule terms and states, `mean(...)` in traces, losses, noise
(drawn for the whole batch, so that it does not depend on who draws it), and shuffled errors. All of them ask the share.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from circuitsim.engine.layout.base import Run


@dataclass(frozen=True)
class Share:
    """The samples of one process: part number `rank` of `n_processes` contiguous parts.

    Parts are as even as can be; where there are more processes than samples, some are empty.

    Args:
        n_samples: of the whole batch.
        rank, n_processes: of `torch.distributed`; by default the batch is not shared.
    """

    n_samples: int
    rank: int = 0
    n_processes: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether there is nobody to share with."""
        return self.n_processes == 1

    @property
    def own(self) -> slice:
        """The samples of this process."""
        ends = [(self.rank + k) * self.n_samples // self.n_processes for k in (0, 1)]
        return slice(*ends)

    def part(self, batch: Tensor) -> Tensor:
        """The own samples, a view, of a whole batch ``[replica, sample, ...]``."""
        return batch if self.is_whole else batch[:, self.own]

    def sum(self, part: Tensor) -> Tensor:
        """The sum over processes of what each has summed over its own samples; `part` may be overwritten."""
        if self.is_whole:
            return part
        total = part.contiguous()
        distributed.all_reduce(total)
        return total

    def mean(self, values: Tensor, axes: tuple[int, ...] = (1,), run: Run | None = None) -> Tensor:
        """The mean over the whole batch.

        Args:
            values: ``[replica, own samples, ...]``, or ``[replica, 1, ...]`` where they do not depend on the sample.
            axes: 1, the sample, and maybe others to average over; they keep length 1.
            run: where the mean of a batch that is not shared goes; by default somewhere new.
        """
        if self.is_whole and run is not None:
            mean: Tensor = run("mean", torch.mean, values, axes, keepdim=True)
            return mean
        if self.is_whole:
            return values.mean(axes, keepdim=True)
        n_own = self.own.stop - self.own.start
        weight = n_own / (max(values.shape[1], 1) * self.n_samples)  # right for both shapes, and for no samples
        total = self.sum(values.sum(1, keepdim=True) * weight)
        others = tuple(axis for axis in axes if axis != 1)
        return total.mean(others, keepdim=True) if others else total

    def shifted(self, part: Tensor, run: Run) -> Tensor:
        """The values ``[replica, own samples, ...]`` of the sample before each, the last one's before the first.

        Args:
            part: values of the own samples.
            run: where the values of a batch that is not shared go.
        """
        if self.is_whole:
            shifted: Tensor = run("shifted", _rolled, part)
            return shifted
        whole = torch.zeros(len(part), self.n_samples, *part.shape[2:], dtype=part.dtype, device=part.device)
        whole[:, self.own] = part
        return self.part(self.sum(whole).roll(1, dims=1))


def _rolled(batch: Tensor, out: Tensor | None = None) -> Tensor:
    """Sample k gets the values of sample k - 1."""
    if out is None:
        out = torch.empty_like(batch)
    out[:, 1:] = batch[:, :-1]
    out[:, :1] = batch[:, -1:]
    return out


@dataclass(frozen=True)
class Processes:
    """Who steps together: this is process `rank` of `n`."""

    rank: int = 0
    n: int = 1

    def share(self, n_samples: int) -> Share:
        """This process's share of a batch."""
        return Share(n_samples, self.rank, self.n)


ALONE = Processes()
