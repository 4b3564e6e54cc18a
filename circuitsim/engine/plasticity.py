"""Apply the rules: evaluate every factor from the state before the step, then change all weights together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.layout import DenseLayout, Layout
from circuitsim.engine.lower import Evaluator, Value, lower
from circuitsim.engine.moments import Factors, MomentRunner
from circuitsim.engine.reductions import ReductionRunner
from circuitsim.engine.rule_names import RuleNames
from circuitsim.engine.share import Share
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Change, Plan, ProjectionPlan, StatePlan
from circuitsim.plan.quantities import of_rule
from circuitsim.rules import SlowTerm
from circuitsim.rules.terms import ONE
from circuitsim.rules.vocabulary import local

Env = MutableMapping[str, Any]


class Plasticity:
    """The plan's changes, lowered.

    Args:
        plan: what to change, and how.
        layouts: storage of each projection.
    """

    def __init__(self, plan: Plan, layouts: Mapping[str, Layout]) -> None:
        self.moments = [MomentRunner(m) for m in plan.moments]
        users = Counter(c.moment for p in plan.plastic() for c in p.changes)
        own = {k for k, moment in enumerate(plan.moments) if moment.is_product and users[k] == 1}
        self.changes = [_ProjectionChange(p, layouts[p.name], own) for p in plan.plastic()]
        self.synapse_states = [
            (of_rule(p.name, name).name, _ProjectionChange(_as_change(p, state), layouts[p.name], ()))
            for p in plan.projections.values()
            for name, state in p.states.items()
        ]
        self.neuron_states = [
            (of_rule(p.name, name).name, lower(update, read_quantity))
            for p in plan.populations.values()
            for name, update in p.states.items()
        ]

    def run(self, env: Env, values: Mapping[str, Tensor], changed: MutableMapping[str, Tensor] | None) -> None:
        """Change `values` in place.

        Args:
            env: the quantities and parameters of the cycle; sums over synapses are added to it.
            values: weights by projection, states by ``owner.name``.
            changed: if given, filled with the change of each projection.
        """
        factors = self._prepare(env, values)
        share: Share = env["share"]
        states = self._new_states(env, factors)
        # a product that goes straight into the weights cannot be summed over processes first
        whole = changed is None and share.is_whole
        apart = [change for change in self.changes if not whole or change.fused is None]
        deltas = self._deltas(apart, env, factors)
        for change in self.changes:
            w = values[change.name]
            before = w.clone() if changed is not None and change.bounded else None
            if change.name in deltas:
                w.add_(deltas[change.name])
            else:
                change.apply_fused(w, env, factors, share.n_samples)  # one product, straight into the weights
            change.restrict(w)
            if changed is not None:
                changed[change.name] = deltas[change.name] if before is None else w - before
        for key, value in states.items():
            values[key].copy_(value)

    def _new_states(self, env: Env, factors: list[Factors]) -> dict[str, Tensor]:
        """The states after the step: batch means of their updates."""
        found: dict[str, Tensor] = {}
        for key, change in self.synapse_states:
            change.reduce(env)
            found[key] = change.delta(env, factors, self.moments, {}, data_only=False)
        for key, update in self.neuron_states:
            value = update(env)
            found[key] = env["share"].mean(value) if isinstance(value, Tensor) else torch.tensor(value)
        return found

    def deltas(self, env: Env, values: Mapping[str, Tensor], data_only: bool = False) -> dict[str, Tensor]:
        """The change that each rule asks for, in the projection's layout; nothing is changed.

        Args:
            env, values: as in `run`.
            data_only: leave out terms without data, such as decay.
        """
        return self._deltas(self.changes, env, self._prepare(env, values), data_only)

    def _prepare(self, env: Env, values: Mapping[str, Tensor]) -> list[Factors]:
        """Reductions into `env`; the two factors of every moment."""
        for name, tensor in values.items():
            env[name if "." in name else f"w[{name}]"] = tensor
        for change in self.changes:
            change.reduce(env)
        return [moment.factors(env) for moment in self.moments]

    def _deltas(
        self, changes: list[_ProjectionChange], env: Env, factors: list[Factors], data_only: bool = False
    ) -> dict[str, Tensor]:
        means: dict[int, Tensor] = {}
        return {c.name: c.delta(env, factors, self.moments, means, data_only) for c in changes}


def _as_change(p: ProjectionPlan, state: StatePlan) -> ProjectionPlan:
    """A state's update, in the form of a change of the projection's weights."""
    return dataclasses.replace(p, rule=state.rule, binding=state.binding, changes=state.changes, bounds=None)


class _ProjectionChange:
    """The change of one projection; `own` are the products that no other projection uses."""

    def __init__(self, p: ProjectionPlan, layout: Layout, own: Collection[int]) -> None:
        assert p.rule is not None
        self.name, self.plan, self.layout = p.name, p, layout
        self.bounded = p.bounds is not None
        self.names = RuleNames(p, layout)
        self.terms = [
            (c, lower(c.coefficient, read_quantity), lower(c.weight, self.names.at_synapse)) for c in p.changes
        ]
        self.slow = [lower(t.expression, self.names.of_sample) for t in p.rule.terms if isinstance(t, SlowTerm)]
        self.reductions = [ReductionRunner(r, self.names) for r in p.rule.reductions]
        self.fused = self._fusable(own)

    def _fusable(self, own: Collection[int]) -> tuple[Change, Evaluator, list[Evaluator]] | None:
        """The single product and the decays of a rule that needs no pass of its own over the weights."""
        own_weight = local("w")
        data = [(c, coefficient) for c, coefficient, _ in self.terms if c.moment is not None]
        decays = [coefficient for c, coefficient, _ in self.terms if c.moment is None and c.weight == own_weight]
        if (
            self.slow
            or len(data) != 1
            or len(decays) != len(self.terms) - 1
            or not isinstance(self.layout, DenseLayout)
        ):
            return None
        change, coefficient = data[0]
        is_plain = change.weight == ONE and change.moment in own
        return (change, coefficient, decays) if is_plain else None

    def reduce(self, env: Env) -> None:
        for reduction in self.reductions:
            reduction.run(env)

    def delta(
        self,
        env: Env,
        factors: list[Factors],
        moments: list[MomentRunner],
        means: dict[int, Tensor],
        data_only: bool,
    ) -> Tensor:
        """The whole change, in the layout's shape; 0 at absent synapses."""
        total: Value = 0.0
        like = torch.zeros_like(env[f"w[{self.name}]"])
        share: Share = env["share"]
        for change, coefficient, weight in self.terms:
            if data_only and change.moment is None:
                continue
            value = coefficient(env) * weight(env)
            if change.moment is not None:
                value = value * self._mean(change, factors, moments, means, share)
            total = total + value
        for evaluate in self.slow:
            total = total + _batch_mean(evaluate, env, share, like)
        return self.layout.present(like + total)

    def _mean(
        self,
        change: Change,
        factors: list[Factors],
        moments: list[MomentRunner],
        means: dict[int, Tensor],
        share: Share,
    ) -> Tensor:
        """Each moment is computed once, from whichever side asks first."""
        k = change.moment
        assert k is not None
        if not moments[k].moment.is_product:
            return moments[k].mean(factors[k], self.layout, change.transposed, share)
        if k not in means:
            seen = moments[k].mean(factors[k], self.layout, change.transposed, share)
            means[k] = self.layout.transposed(seen) if change.transposed else seen
        return self.layout.transposed(means[k]) if change.transposed else means[k]

    def apply_fused(self, w: Tensor, env: Env, factors: list[Factors], n_samples: int) -> None:
        """``w <- (1 - decay) w + (coefficient / B) post^T pre`` in place."""
        assert self.fused is not None
        change, coefficient, decays = self.fused
        assert change.moment is not None
        post, pre = factors[change.moment][::-1] if change.transposed else factors[change.moment]
        keep = 1.0 + sum(decay(env) for decay in decays)
        rate = coefficient(env) / n_samples
        assert isinstance(post, Tensor) and isinstance(pre, Tensor)
        if isinstance(rate, Tensor):
            post, rate = post * rate, 1.0
        if isinstance(keep, Tensor):
            w.mul_(keep)
            keep = 1.0
        assert isinstance(self.layout, DenseLayout)
        self.layout.add_moment_(w, post, pre, keep, rate)

    def restrict(self, w: Tensor) -> None:
        """Clip to the bounds; absent synapses stay absent."""
        if self.plan.bounds is not None:
            w.clamp_(*self.plan.bounds)
        if self.layout.mask is not None:
            w.masked_fill_(self.layout.mask == 0, 0.0)


def _batch_mean(evaluate: Evaluator, env: Env, share: Share, like: Tensor) -> Value:
    """Sample by sample, so that no array ``[B, post, pre]`` is ever held."""
    total = torch.zeros_like(like)
    for sample in range(env["n_samples"]):
        env["sample"] = sample
        total = total + evaluate(env)
    return share.sum(total) / share.n_samples
