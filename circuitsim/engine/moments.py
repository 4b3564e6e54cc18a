"""Batch means of products of two factors, the costly part of a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import lower
from circuitsim.engine.operations import Value
from circuitsim.engine.share import Share
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Change, Moment
from circuitsim.rules.terms import ONE

Env = MutableMapping[str, Any]
Factors = tuple[Value, Value]  # of the postsynaptic and of the presynaptic side


class MomentRunner:
    """``E_b[post[b, i] pre[b, j]]`` of one planned moment.

    Attributes:
        is_product: whether it takes a matrix product.
        slot: which buffer it is written into, beside others of its shape.
    """

    def __init__(self, moment: Moment) -> None:
        self.is_product, self.slot = moment.is_product, -1
        self.post = None if moment.post == ONE else lower(moment.post, read_quantity)
        self.pre = None if moment.pre == ONE else lower(moment.pre, read_quantity)

    def factors(self, env: Env) -> Factors:
        return (1.0 if self.post is None else self.post(env)), (1.0 if self.pre is None else self.pre(env))


class Means:
    """The batch means of one step, each computed when it is asked for first, from whichever side asks.

    Args:
        moments: all of the plan.
        env: the quantities of the cycle.
        scales: moment -> what its mean is multiplied by, for those whose users all multiply by the same number.
    """

    def __init__(self, moments: Sequence[MomentRunner], env: Env, scales: Mapping[int, float]) -> None:
        self.moments, self.env, self.scales = moments, env, scales
        self._found: dict[int, Tensor] = {}

    def factors(self, change: Change) -> Factors:
        """The two factors of the moment that a change asks for, of its post- and presynaptic side."""
        assert change.moment is not None
        factors = self.moments[change.moment].factors(self.env)
        return factors[::-1] if change.transposed else factors

    def of(self, change: Change, layout: Layout) -> Tensor:
        """The scaled mean that a change asks for, as values of `layout`."""
        k = change.moment
        assert k is not None
        if not self.moments[k].is_product:
            return self._mean(change, layout)
        run = self.env["workspace"].of((k, layout))
        if k not in self._found:
            seen = self._mean(change, layout)
            self._found[k] = layout.transposed(run, seen) if change.transposed else seen
        return layout.from_reversed(run, self._found[k]) if change.transposed else self._found[k]

    def _mean(self, change: Change, layout: Layout) -> Tensor:
        """`scale` times the batch mean, in `layout`."""
        k = change.moment
        assert k is not None
        moment, (post, pre) = self.moments[k], self.factors(change)
        share: Share = self.env["share"]
        run = self.env["workspace"].of((moment, layout))
        if not isinstance(post, Tensor):
            assert isinstance(pre, Tensor)
            return layout.at_pre(run, share.mean(pre, run=run))
        if not isinstance(pre, Tensor):
            return layout.at_post(run, share.mean(post, run=run))
        n_replicas = max(post.shape[0], pre.shape[0])
        run = self.env["workspace"].of((moment.slot, type(layout), layout.shape, layout.along_post, n_replicas))
        return share.sum(layout.moment(run, post, pre, self.scales.get(k, 1.0) / share.n_samples))


def share_buffers(moments: Sequence[MomentRunner], users: Sequence[Collection[int]]) -> None:
    """Give moments that are never needed at the same time the same buffer: what was just written is fast to read.

    Args:
        moments: their `slot` is set.
        users: for each change, in the order in which they are made, the moments that it reads.
    """
    last = {k: position for position, used in enumerate(users) for k in used}
    free: list[int] = []
    n_slots = 0
    taken: dict[int, int] = {}
    for position, used in enumerate(users):
        for k in sorted(used):
            if k not in taken:
                if not free:
                    free, n_slots = [n_slots], n_slots + 1
                taken[k] = moments[k].slot = free.pop()
        free += [taken[k] for k in used if last[k] == position]
