"""Batch means of products of two factors, the costly part of a step."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import lower
from circuitsim.engine.operations import Value
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Change, Moment
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

    def mean(self, env: Env, factors: Factors, layout: Layout, transposed: bool, scale: float) -> Tensor:
        """`scale` times the batch mean in `layout`, which may be that of the projection seen from the other side."""
        run = env["workspace"].of((self, layout))
        post, pre = factors[::-1] if transposed else factors
        if not isinstance(post, Tensor):
            assert isinstance(pre, Tensor)
            return layout.at_pre(run, run("mean", torch.mean, pre, 1, keepdim=True))
        if not isinstance(pre, Tensor):
            return layout.at_post(run, run("mean", torch.mean, post, 1, keepdim=True))
        return layout.moment(run, post, pre, scale / env["n_samples"])


class Means:
    """The batch means of one step, each computed once, from whichever side asks first.

    Args:
        moments: all of the plan.
        env: the quantities of the cycle.
        scales: moment -> what its mean is multiplied by, for those whose users all multiply by the same number.
    """

    def __init__(self, moments: Sequence[MomentRunner], env: Env, scales: Mapping[int, float]) -> None:
        self.moments, self.env, self.scales = moments, env, scales
        self.factors = [moment.factors(env) for moment in moments]
        self._found: dict[int, Tensor] = {}

    def of(self, change: Change, layout: Layout) -> Tensor:
        """The scaled mean that a change asks for, as values of `layout`."""
        k = change.moment
        assert k is not None
        moment, scale = self.moments[k], self.scales.get(k, 1.0)
        if not moment.moment.is_product:
            return moment.mean(self.env, self.factors[k], layout, change.transposed, scale)
        if k not in self._found:
            seen = moment.mean(self.env, self.factors[k], layout, change.transposed, scale)
            self._found[k] = layout.transposed(seen) if change.transposed else seen
        return layout.transposed(self._found[k]) if change.transposed else self._found[k]
