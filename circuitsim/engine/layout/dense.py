"""All synapses in an array."""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout, Run, spread, zero_where_none_
from circuitsim.engine.products import BLAS, Products


class DenseLayout(Layout):
    """An array ``[R, post, pre]``; absent synapses hold 0.

    Args:
        shape, mask: as in `Layout`.
        products: what multiplies.
    """

    def __init__(self, shape: tuple[int, int], mask: Tensor | None, products: Products = BLAS) -> None:
        super().__init__(shape, mask)
        self.products = products

    def lie_along_post(self) -> None:
        """From now on, neighbours in memory are neighbours in post."""
        self.along_post = True
        if self.mask is not None:
            self.mask = self.laid(self.mask)

    def laid(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2).contiguous().transpose(1, 2) if self.along_post else values

    def pack(self, dense: Tensor) -> Tensor:
        return self.laid(dense)

    def dense(self, values: Tensor) -> Tensor:
        return values

    def current(self, run: Run, values: Tensor, pre: Tensor) -> Tensor:
        return run("current", self.products.plain, spread(pre, values.shape[0]), values.transpose(1, 2))

    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        return run("back", self.products.plain, spread(post, values.shape[0]), values)

    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        n_replicas = max(post.shape[0], pre.shape[0])
        post, pre = spread(post, n_replicas), spread(pre, n_replicas)
        if self.along_post:
            return run("moment", self.products.scaled, pre.transpose(1, 2), post, scale).transpose(1, 2)
        return run("moment", self.products.scaled, post.transpose(1, 2), pre, scale)

    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        post, pre = spread(post, values.shape[0]), spread(pre, values.shape[0])
        if not values.is_contiguous():  # a product goes straight into the weights only in their order in memory
            values, post, pre = values.transpose(1, 2), pre, post
        self.products.add_(values, post.transpose(1, 2), pre, scale, keep)

    def at_post(self, run: Run, vector: Tensor) -> Tensor:
        return vector.transpose(1, 2)

    def at_pre(self, run: Run, vector: Tensor) -> Tensor:
        return vector

    def reduce(self, run: Run, kind: str, values: Tensor) -> Tensor:
        axis = 2 if kind.endswith("in") else 1
        if kind.startswith("sum"):
            return run("reduce", torch.sum, self.restrict_(values), axis).unsqueeze(1)
        if self.absent is not None:
            values.masked_fill_(self.absent, -torch.inf)
        return zero_where_none_(run("reduce", torch.amax, values, axis)).unsqueeze(1)

    def reversed(self) -> DenseLayout:
        mask = None if self.mask is None else self.mask.transpose(1, 2)
        return DenseLayout(self.shape[::-1], mask, self.products)

    def transposed(self, run: Run, values: Tensor) -> Tensor:
        return values.transpose(1, 2)

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        if self.mask is None:
            post, pre = torch.ones(self.shape, dtype=torch.bool).nonzero(as_tuple=True)
        else:
            post, pre = self.mask[replica if len(self.mask) > 1 else 0].nonzero(as_tuple=True)
        return post, pre
