"""One synapse a neuron."""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout, Run


class OneToOneLayout(Layout):
    """A vector ``[R, 1, neuron]``."""

    def pack(self, dense: Tensor) -> Tensor:
        return dense.diagonal(dim1=1, dim2=2).unsqueeze(1).clone()

    def dense(self, values: Tensor) -> Tensor:
        return torch.diag_embed(values[:, 0])

    def current(self, run: Run, values: Tensor, pre: Tensor) -> Tensor:
        return run("current", torch.mul, pre, values)

    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        return run("back", torch.mul, post, values)

    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        return run("moment", torch.sum, run("products", torch.mul, post, pre), 1, keepdim=True).mul_(scale)

    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        torch.add(self.moment(run, post, pre, scale), values, alpha=keep, out=values)

    def at_post(self, run: Run, vector: Tensor) -> Tensor:
        return vector

    def at_pre(self, run: Run, vector: Tensor) -> Tensor:
        return vector

    def reduce(self, run: Run, kind: str, values: Tensor) -> Tensor:
        return self.restrict_(values)

    def reversed(self) -> OneToOneLayout:
        return OneToOneLayout(self.shape, self.mask)

    def transposed(self, run: Run, values: Tensor) -> Tensor:
        return values

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        if self.mask is None:
            neurons = torch.arange(self.shape[0])
        else:
            neurons = self.mask[replica if len(self.mask) > 1 else 0, 0].nonzero(as_tuple=True)[0]
        return neurons, neurons
