"""All synapses in an array."""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout, Run, spread, zero_where_none_


class DenseLayout(Layout):
    """An array ``[R, post, pre]``; absent synapses hold 0. Memory may run along post first."""

    def pack(self, dense: Tensor) -> Tensor:
        return dense

    def dense(self, values: Tensor) -> Tensor:
        return values

    def current(self, run: Run, values: Tensor, pre: Tensor) -> Tensor:
        return run("current", product, spread(pre, values.shape[0]), values.transpose(1, 2))

    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        return run("back", product, spread(post, values.shape[0]), values)

    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        n_replicas = max(post.shape[0], pre.shape[0])
        return run("moment", scaled_product, spread(post, n_replicas).transpose(1, 2), spread(pre, n_replicas), scale)

    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        post, pre = spread(post, values.shape[0]), spread(pre, values.shape[0])
        if not values.is_contiguous():  # a product goes straight into the weights only in their order in memory
            values, post, pre = values.transpose(1, 2), pre, post
        scaled_product(post.transpose(1, 2), pre, scale, keep, out=values)

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
        return DenseLayout(self.shape[::-1], None if self.mask is None else self.mask.transpose(1, 2))

    def transposed(self, run: Run, values: Tensor) -> Tensor:
        return values.transpose(1, 2)

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        if self.mask is None:
            post, pre = torch.ones(self.shape, dtype=torch.bool).nonzero(as_tuple=True)
        else:
            post, pre = self.mask[replica if len(self.mask) > 1 else 0].nonzero(as_tuple=True)
        return post, pre


def product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """``a b`` for each replica; ``[R, n, k]`` times ``[R, k, m]``."""
    if a.shape[0] > 1:
        return torch.bmm(a, b, out=out)
    if out is None:  # BLAS's plain product beats a batch of one
        return torch.mm(a.squeeze(0), b.squeeze(0)).unsqueeze(0)
    torch.mm(a.squeeze(0), b.squeeze(0), out=out.squeeze(0))
    return out


def scaled_product(a: Tensor, b: Tensor, scale: float, keep: float = 0.0, out: Tensor | None = None) -> Tensor:
    """``out <- keep * out + scale * a b`` for each replica."""
    if out is None:
        out = a.new_empty(a.shape[0], a.shape[1], b.shape[2])
    if a.shape[0] == 1:
        out.squeeze(0).addmm_(a.squeeze(0), b.squeeze(0), beta=keep, alpha=scale)
        return out
    return out.baddbmm_(a, b, beta=keep, alpha=scale)
