"""Batch means of products of two factors, the costly part of a step."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import Value, lower
from circuitsim.engine.share import Share
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Moment
from circuitsim.rules.terms import ONE

Env = MutableMapping[str, Any]
Factors = tuple[Value, Value]  # of the postsynaptic and of the presynaptic side


class MomentRunner:
    """``E_b[post[b, i] pre[b, j]]`` of one planned moment."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.post = None if moment.post == ONE else lower(moment.post, read_quantity)
        self.pre = None if moment.pre == ONE else lower(moment.pre, read_quantity)

    def factors(self, env: Env) -> Factors:
        return (1.0 if self.post is None else self.post(env)), (1.0 if self.pre is None else self.pre(env))

    def mean(self, factors: Factors, layout: Layout, transposed: bool, share: Share) -> Tensor:
        """The batch mean in `layout`, which may be that of the projection seen from the other side."""
        post, pre = factors[::-1] if transposed else factors
        if not isinstance(post, Tensor):
            assert isinstance(pre, Tensor)
            return layout.at_pre(share.mean(pre))
        if not isinstance(pre, Tensor):
            return layout.at_post(share.mean(post))
        return share.sum(layout.moment_sum(post, pre)).div_(share.n_samples)
