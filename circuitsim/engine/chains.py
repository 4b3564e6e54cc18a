"""A batch mean of a current is the weights times a batch mean: ``E[(Vt h) g'] = Vt E[h g']``.

Where nothing but such a mean reads a projection's current, the right-hand side often takes fewer multiplications; far
fewer where g is narrow, as an output's error is.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from circuitsim.engine.layout import DenseLayout, Layout
from circuitsim.engine.moments import Factors, MomentRunner
from circuitsim.plan import Moment, Plan, ProjectionPlan
from circuitsim.plan.quantities import quantity
from circuitsim.plan.reads import read_by
from circuitsim.rules.terms import ONE

Env = MutableMapping[str, Any]


class Chain(MomentRunner):
    """The mean of a current and of a presynaptic factor.

    Args:
        moment: ``E[I[q] (x) pre]``.
        q: the projection whose current it is.
        layout: of q.
    """

    def __init__(self, moment: Moment, q: ProjectionPlan, layout: DenseLayout) -> None:
        super().__init__(moment)
        self.current = q.name
        self._seen = [f"{kind}[{q.pre}]" for kind in ("trace", "activity")]
        self._sizes = (*q.shape, moment.shape[1])
        self._inner = DenseLayout((q.shape[1], moment.shape[1]), None, layout.products)
        self._inner.lie_along_post()  # long rows, where the presynaptic side is narrow

    def saves(self, n_samples: int) -> bool:
        """Whether it takes fewer multiplications without the current."""
        m, k, n = self._sizes
        return n_samples * k * n + m * k * n < n_samples * m * k + n_samples * m * n

    def factors(self, env: Env) -> Factors:
        """Two other factors with the same sum of products: ``Vt^T``, and ``h^T g'`` over the batch."""
        if self.current not in env["chained"]:
            return super().factors(env)
        assert self.pre is not None
        pre, seen = self.pre(env), next(env[name] for name in self._seen if name in env)
        assert isinstance(pre, Tensor)
        inner = self._inner.moment(env["workspace"].of(self), seen, pre, 1.0)
        return env[f"w[{self.current}]"].transpose(1, 2), inner


def chains(plan: Plan, layouts: Mapping[str, Layout]) -> dict[int, Chain]:
    """Those of a motif of one phase, by the number of the moment.

    The projection whose current it is must not change by a chain itself: all changes start from the weights before the
    step, and those by chains are made first.
    """
    found: dict[int, Chain] = {}
    for k, m in enumerate(plan.moments):
        q = next((p for p in plan.projections.values() if quantity("I", p.name) == m.post), None)
        if q is None or m.pre == ONE or m.layout != "dense" or q.target != "dendrite" or q.derived is not None:
            continue
        others = replace(plan, moments=(*plan.moments[:k], *plan.moments[k + 1 :]))
        layout = layouts[q.name]
        if isinstance(layout, DenseLayout) and m.post not in read_by(others):
            found[k] = Chain(m, q, layout)
    changed = {p.name for p in plan.plastic() for c in p.changes if c.moment in found}
    return {k: chain for k, chain in found.items() if chain.current not in changed}
