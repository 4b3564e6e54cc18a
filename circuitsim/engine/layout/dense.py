"""The dense layout, an array with a place for every pair of neurons."""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout


class DenseLayout(Layout):
    """An array ``[R, post, pre]``; absent synapses hold 0."""

    def lie_along_post(self) -> None:
        """Change the memory order so that neighbours in memory are neighbours in post."""
        self.along_post = True
        if self.mask is not None:
            self.mask = self.laid(self.mask)

    def laid(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2).contiguous().transpose(1, 2) if self.along_post else values

    @property
    def value_shape(self) -> tuple[int, int]:
        return self.shape

    def pack(self, dense: Tensor) -> Tensor:
        return self.laid(dense)

    def dense(self, values: Tensor) -> Tensor:
        return values

    def reversed(self) -> DenseLayout:
        mask = None if self.mask is None else self.mask.transpose(1, 2)
        return DenseLayout(self.shape[::-1], mask)

    def transposed(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)

    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        return numbers // self.shape[1], numbers % self.shape[1]

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        if self.mask is None:
            post, pre = torch.ones(self.shape, dtype=torch.bool).nonzero(as_tuple=True)
        else:
            post, pre = self.mask[replica if len(self.mask) > 1 else 0].nonzero(as_tuple=True)
        return post, pre
