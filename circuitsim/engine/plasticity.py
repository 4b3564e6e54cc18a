"""Apply the rules: evaluate every factor from the state before the step, then change all weights together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from torch import Tensor

from circuitsim.engine.chains import Chain
from circuitsim.engine.change import ProjectionChange
from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import lower
from circuitsim.engine.moments import Means, MomentRunner, share_buffers
from circuitsim.engine.operations import Value, as_values, fitting
from circuitsim.engine.share import Share
from circuitsim.engine.sweep import read_quantity
from circuitsim.engine.workspace import Workspace
from circuitsim.plan import Plan, ProjectionPlan, StatePlan
from circuitsim.plan.quantities import of_rule

Env = MutableMapping[str, Any]


class Plasticity:
    """The plan's changes, lowered.

    Args:
        plan: what to change, and how.
        layouts: storage of each projection.
        like: a tensor of the circuit's type.
        chains: moments that can be had without their current.
    """

    def __init__(
        self, plan: Plan, layouts: Mapping[str, Layout], like: Tensor, chains: Mapping[int, Chain] | None = None
    ) -> None:
        self._chains = chains or {}
        self.moments = [self._chains.get(k) or MomentRunner(m) for k, m in enumerate(plan.moments)]
        self.changes = [ProjectionChange(p, layouts[p.name]) for p in plan.plastic()]
        self.changes.sort(key=lambda change: change.moments.isdisjoint(self._chains))  # they read weights of others
        self.synapse_states = [
            (of_rule(p.name, name).name, ProjectionChange(_as_change(p, state), layouts[p.name]))
            for p in plan.projections.values()
            for name, state in p.states.items()
        ]
        self.neuron_states = [
            (of_rule(p.name, name).name, lower(update, read_quantity))
            for p in plan.populations.values()
            for name, update in p.states.items()
        ]
        users: dict[int, list[ProjectionChange]] = {}
        in_order = [*(change for _, change in self.synapse_states), *self.changes]
        for change in in_order:
            for k in change.products(plan.moments):
                users.setdefault(k, []).append(change)
        self._workspace, self._like = Workspace(), like
        self._rates: dict[str, tuple[Value, Value]] = {}
        self._scales: dict[int, float] = {}
        # Products that no other projection uses go straight into the weights; the others are scaled once for all.
        self.shared = {k: asking for k, asking in users.items() if len(asking) > 1}
        share_buffers(self.moments, [change.moments for change in in_order])
        for change in self.changes:
            change.owns_product = not any(k in self.shared for k in change.products(plan.moments))

    def chained(self, n_samples: int) -> frozenset[str]:
        """The projections whose currents are better not made."""
        return frozenset(chain.current for chain in self._chains.values() if chain.saves(n_samples))

    def run(self, env: Env, values: Mapping[str, Tensor], changed: MutableMapping[str, Tensor] | None) -> None:
        """Change `values` in place.

        Args:
            env: the quantities and parameters of the cycle; sums over synapses are added to it.
            values: weights by projection, states by ``owner.name``.
            changed: if given, filled with the change of each projection.
        """
        env["rates"] = self._rates
        self._prepare(env, values, self._scales if changed is None else {})
        states = self._new_states(env, values)
        for change in self.changes:
            w = values[change.name]
            if changed is None:
                change.apply_(w, env)
                continue
            before = w.clone()
            delta = change.delta(env)
            w.add_(delta)
            change.restrict_(w)
            changed[change.name] = w - before if change.plan.bounds is not None else delta.clone()
        for key, value in states.items():
            values[key].copy_(value)

    def deltas(self, env: Env, values: Mapping[str, Tensor], data_only: bool = False) -> dict[str, Tensor]:
        """The change that each rule asks for, in the projection's layout; nothing is changed.

        Args:
            env, values: as in `run`.
            data_only: leave out terms without data, such as decay.
        """
        self._prepare(env, values, {})
        return {change.name: change.delta(env, data_only) for change in self.changes}

    def _prepare(self, env: Env, values: Mapping[str, Tensor], scales: Mapping[int, float]) -> None:
        """Sums over synapses, from the state before the step, and the batch means, into `env`."""
        for name, tensor in values.items():
            env[name if "." in name else f"w[{name}]"] = tensor
        for change in self.changes:
            change.reduce(env)
        env["means"] = Means(self.moments, env, scales)

    def set_rates(self, parameters: Mapping[str, Value]) -> frozenset[int]:
        """Numbers of the short rules, and which of them shared means are scaled by.

        Args:
            parameters: of the rules, by path; to be called with them before `run`.
        Returns:
            The moments that are scaled: with others, a step is made of other operations.
        """
        env = {**parameters, "workspace": self._workspace}
        self._rates = {
            c.name: (self._fitting(c.linear.keep(env)), self._fitting(c.linear.rate(env)))
            for c in self.changes
            if c.linear is not None
        }
        self._scales = {k: rate for k, users in self.shared.items() if (rate := self._common_rate(users)) is not None}
        return frozenset(self._scales)

    def _fitting(self, value: Value) -> Value:
        return value if isinstance(value, Tensor) else fitting(value, self._like)

    def _common_rate(self, users: Sequence[ProjectionChange]) -> float | None:
        """What all users multiply a mean by, if that is one number."""
        short = [change for change in users if change in self.changes and change.linear is not None]
        rates: list[Value] = [self._rates[change.name][1] for change in short] or [1.0]
        if len(short) < len(users):
            return None
        first = rates[0]
        return first if isinstance(first, float) and all(isinstance(r, float) and r == first for r in rates) else None

    def _new_states(self, env: Env, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The states after the step: batch means of their updates."""
        found: dict[str, Tensor] = {}
        for key, change in self.synapse_states:
            change.reduce(env)
            found[key] = change.delta(env)
        for key, update in self.neuron_states:
            found[key] = _neuron_mean(env, key, update(env), values[key])
        return found


def _neuron_mean(env: Env, key: str, value: Value, like: Tensor) -> Tensor:
    if not isinstance(value, Tensor):
        return as_values(value, like, out=like)
    share: Share = env["share"]
    return share.mean(value, run=env["workspace"].of(key))


def _as_change(p: ProjectionPlan, state: StatePlan) -> ProjectionPlan:
    """A state's update, in the form of a change of the projection's weights."""
    return dataclasses.replace(p, rule=state.rule, binding=state.binding, changes=state.changes, bounds=None)
