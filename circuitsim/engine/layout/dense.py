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
        return run("current", torch.bmm, spread(pre, len(values)), values.transpose(1, 2))

    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        return run("back", torch.bmm, spread(post, len(values)), values)

    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        n_replicas = max(len(post), len(pre))
        return run("moment", _product, spread(post, n_replicas).transpose(1, 2), spread(pre, n_replicas), scale)

    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        post, pre = spread(post, len(values)), spread(pre, len(values))
        if not values.is_contiguous():  # a product goes straight into the weights only in their order in memory
            values, post, pre = values.transpose(1, 2), pre, post
        values.baddbmm_(post.transpose(1, 2), pre, beta=keep, alpha=scale)

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

    def transposed(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)


def _product(post: Tensor, pre: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
    if out is None:
        out = post.new_empty(post.shape[0], post.shape[1], pre.shape[2])
    return out.baddbmm_(post, pre, beta=0.0, alpha=scale)
