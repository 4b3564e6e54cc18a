"""The layout of one-to-one projections, with one synapse per neuron."""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout


class OneToOneLayout(Layout):
    """A vector ``[R, 1, neuron]``."""

    @property
    def value_shape(self) -> tuple[int, int]:
        return (1, self.shape[0])

    def pack(self, dense: Tensor) -> Tensor:
        return dense.diagonal(dim1=1, dim2=2).unsqueeze(1).clone()

    def dense(self, values: Tensor) -> Tensor:
        return torch.diag_embed(values[:, 0])

    def reversed(self) -> OneToOneLayout:
        return OneToOneLayout(self.shape, self.mask)

    def transposed(self, values: Tensor) -> Tensor:
        return values

    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(numbers), numbers // self.shape[1]

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        if self.mask is None:
            neurons = torch.arange(self.shape[0])
        else:
            neurons = self.mask[replica if len(self.mask) > 1 else 0, 0].nonzero(as_tuple=True)[0]
        return neurons, neurons
