"""Apply the rules: evaluate every factor from the state before the step, then change all weights together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.layout import DenseLayout, Layout
from circuitsim.engine.lower import Evaluator, Value, lower
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Change, Moment, Plan, ProjectionPlan
from circuitsim.rules import Axis, Reduction, SlowTerm, Term
from circuitsim.rules.terms import ONE

Env = MutableMapping[str, Any]


class Plasticity:
    """The plan's changes, lowered.

    Args:
        plan: what to change, and how.
        layouts: storage of each projection.
    """

    def __init__(self, plan: Plan, layouts: Mapping[str, Layout]) -> None:
        self.moments = [_MomentRunner(m, layouts) for m in plan.moments]
        users = Counter(c.moment for p in plan.plastic() for c in p.changes)
        own = {k for k, moment in enumerate(plan.moments) if moment.is_product and users[k] == 1}
        self.changes = [_ProjectionChange(p, layouts[p.name], own) for p in plan.plastic()]

    def run(self, env: Env, values: Mapping[str, Tensor], changed: MutableMapping[str, Tensor] | None) -> None:
        """Change `values` in place.

        Args:
            env: the quantities and parameters of the cycle; sums over synapses are added to it.
            values: weights by projection.
            changed: if given, filled with the change of each projection.
        """
        factors = self._prepare(env, values)
        n_samples = env["n_samples"]
        apart = [change for change in self.changes if changed is not None or change.fused is None]
        deltas = self._deltas(apart, env, factors)
        for change in self.changes:
            w = values[change.name]
            before = w.clone() if changed is not None and change.bounded else None
            if change.name in deltas:
                w.add_(deltas[change.name])
            else:
                change.apply_fused(w, env, factors, n_samples)  # one product, straight into the weights
            change.restrict(w)
            if changed is not None:
                changed[change.name] = deltas[change.name] if before is None else w - before

    def deltas(self, env: Env, values: Mapping[str, Tensor], data_only: bool = False) -> dict[str, Tensor]:
        """The change that each rule asks for, in the projection's layout; nothing is changed.

        Args:
            env, values: as in `run`.
            data_only: leave out terms without data, such as decay.
        """
        return self._deltas(self.changes, env, self._prepare(env, values), data_only)

    def _prepare(self, env: Env, values: Mapping[str, Tensor]) -> list[tuple[Value, Value]]:
        """Reductions into `env`; the two factors of every moment."""
        for name, weights in values.items():
            env[f"w[{name}]"] = weights
        for change in self.changes:
            change.reduce(env)
        return [moment.factors(env) for moment in self.moments]

    def _deltas(
        self, changes: list[_ProjectionChange], env: Env, factors: list[tuple[Value, Value]], data_only: bool = False
    ) -> dict[str, Tensor]:
        means: dict[int, Tensor] = {}
        return {c.name: c.delta(env, factors, self.moments, means, data_only) for c in changes}


class _MomentRunner:
    """``E_b[post[b, i] pre[b, j]]`` of one planned moment."""

    def __init__(self, moment: Moment, layouts: Mapping[str, Layout]) -> None:
        self.moment = moment
        self.post = None if moment.post == ONE else lower(moment.post, read_quantity)
        self.pre = None if moment.pre == ONE else lower(moment.pre, read_quantity)

    def factors(self, env: Env) -> tuple[Value, Value]:
        return (1.0 if self.post is None else self.post(env)), (1.0 if self.pre is None else self.pre(env))

    def mean(self, factors: tuple[Value, Value], layout: Layout, transposed: bool, n_samples: int) -> Tensor:
        """The batch mean in `layout`, which may be that of the projection seen from the other side."""
        post, pre = factors[::-1] if transposed else factors
        if not isinstance(post, Tensor):
            assert isinstance(pre, Tensor)
            return layout.at_pre(pre.mean(1, keepdim=True))
        if not isinstance(pre, Tensor):
            return layout.at_post(post.mean(1, keepdim=True))
        return layout.moment_sum(post, pre).div_(n_samples)


class _ProjectionChange:
    """The change of one projection; `own` are the products that no other projection uses."""

    def __init__(self, p: ProjectionPlan, layout: Layout, own: Collection[int]) -> None:
        assert p.rule is not None
        self.name, self.plan, self.layout = p.name, p, layout
        self.bounded = p.bounds is not None
        self.names = _Names(p, layout)
        self.terms = [
            (c, lower(c.coefficient, read_quantity), lower(c.weight, self.names.at_synapse)) for c in p.changes
        ]
        self.slow = [lower(t.expression, self.names.of_sample) for t in p.rule.terms if isinstance(t, SlowTerm)]
        self.reductions = [_ReductionRunner(r, self.names) for r in p.rule.reductions]
        self.fused = self._fusable(own)

    def _fusable(self, own: Collection[int]) -> tuple[Change, Evaluator, list[Evaluator]] | None:
        """The single product and the decays of a rule that needs no pass of its own over the weights."""
        own_weight = sympy.Symbol("w", real=True)
        data = [(c, coefficient) for c, coefficient, _ in self.terms if c.moment is not None]
        decays = [coefficient for c, coefficient, _ in self.terms if c.moment is None and c.weight == own_weight]
        if self.slow or len(data) != 1 or len(decays) != len(self.terms) - 1 or not isinstance(self.layout, DenseLayout):
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
        factors: list[tuple[Value, Value]],
        moments: list[_MomentRunner],
        means: dict[int, Tensor],
        data_only: bool,
    ) -> Tensor:
        """The whole change, in the layout's shape; 0 at absent synapses."""
        total: Value = 0.0
        n_samples = env["n_samples"]
        for change, coefficient, weight in self.terms:
            if data_only and change.moment is None:
                continue
            value = coefficient(env) * weight(env)
            if change.moment is not None:
                value = value * self._mean(change, factors, moments, means, n_samples)
            total = total + value
        for evaluate in self.slow:
            total = total + _batch_mean(evaluate, env, n_samples)
        return self.layout.present(torch.zeros_like(env[f"w[{self.name}]"]) + total)

    def _mean(
        self,
        change: Change,
        factors: list[tuple[Value, Value]],
        moments: list[_MomentRunner],
        means: dict[int, Tensor],
        n_samples: int,
    ) -> Tensor:
        """Each moment is computed once, from whichever side asks first."""
        k = change.moment
        assert k is not None
        if not moments[k].moment.is_product:
            return moments[k].mean(factors[k], self.layout, change.transposed, n_samples)
        if k not in means:
            seen = moments[k].mean(factors[k], self.layout, change.transposed, n_samples)
            means[k] = self.layout.transposed(seen) if change.transposed else seen
        return self.layout.transposed(means[k]) if change.transposed else means[k]

    def apply_fused(self, w: Tensor, env: Env, factors: list[tuple[Value, Value]], n_samples: int) -> None:
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
            w.mul_(self.layout.mask)


class _Names:
    """Read the names of one rule at each synapse, of the whole batch or of one sample."""

    def __init__(self, p: ProjectionPlan, layout: Layout) -> None:
        assert p.rule is not None
        self.binding, self.axes, self.layout = p.binding, p.rule.axes, layout

    def _placed(self, symbol: sympy.Symbol, read: Evaluator) -> Evaluator:
        axes = self.axes[symbol] & Axis.SYNAPSE
        if axes == Axis.POST:
            return lambda env: self.layout.at_post(_tensor(read(env)))
        if axes == Axis.PRE:
            return lambda env: self.layout.at_pre(_tensor(read(env)))
        return read

    def at_synapse(self, symbol: sympy.Symbol) -> Evaluator:
        """Something that does not depend on the sample."""
        return self._placed(symbol, read_quantity(self.binding[symbol]))

    def of_sample(self, symbol: sympy.Symbol) -> Evaluator:
        """Anything, for sample number ``env["sample"]``."""
        read = read_quantity(self.binding[symbol])
        if Axis.SAMPLE not in self.axes[symbol]:
            return self._placed(symbol, read)

        def of_one(env: Mapping[str, Any]) -> Value:
            value = _tensor(read(env))
            k = env["sample"] if value.shape[1] > 1 else 0
            return value[:, k : k + 1]

        return self._placed(symbol, of_one)

    def vectors(self, symbol: sympy.Symbol) -> Evaluator:
        """A vector over one end, not placed at synapses."""
        return read_quantity(self.binding[symbol])


class _ReductionRunner:
    """A sum or maximum over synapses."""

    def __init__(self, reduction: Reduction, names: _Names) -> None:
        self.reduction, self.layout = reduction, names.layout
        self.name = names.binding[reduction.symbol].name
        self.inward = reduction.kind.endswith("in")
        self.weight_name = names.binding[sympy.Symbol("w", real=True)].name
        self.slow = [lower(t.expression, names.of_sample) for t in reduction.body if isinstance(t, SlowTerm)]
        self.fast = [
            (
                lower(t.coefficient, names.vectors),
                lower(t.weight, names.at_synapse),
                None if t.post == ONE else lower(t.post, names.vectors),
                None if t.pre == ONE else lower(t.pre, names.vectors),
            )
            for t in reduction.body
            if isinstance(t, Term)
        ]

    def run(self, env: Env) -> None:
        if self.reduction.kind.startswith("max"):
            env[self.name] = self._reduce_slow(env) if self.slow else self._reduce(self.fast[0][1], env)
            return
        total: Value = 0.0
        for coefficient, weight, post, pre in self.fast:
            across, along = (pre, post) if self.inward else (post, pre)
            values = self.layout.present(self._values(weight, env))
            if across is None:
                value: Value = self.layout.reduce(self.reduction.kind, values)
            elif self.inward:
                value = self.layout.current(values, self._wide(across(env), values, 1))
            else:
                value = self.layout.back_current(values, self._wide(across(env), values, 0))
            total = total + coefficient(env) * value * (1.0 if along is None else along(env))
        if self.slow:
            total = total + self._reduce_slow(env)
        env[self.name] = total

    def _values(self, weight: Evaluator, env: Env) -> Tensor:
        like = env[self.weight_name]
        return torch.zeros_like(like) + weight(env)

    def _wide(self, vector: Value, values: Tensor, end: int) -> Tensor:
        return _tensor(vector).expand(-1, -1, self.layout.shape[end])

    def _reduce(self, body: Evaluator, env: Env) -> Tensor:
        return self.layout.reduce(self.reduction.kind, self._values(body, env))

    def _reduce_slow(self, env: Env) -> Tensor:
        per_sample = []
        for sample in range(env["n_samples"]):
            env["sample"] = sample
            per_sample.append(sum((self._reduce(body, env) for body in self.slow[1:]), self._reduce(self.slow[0], env)))
        return torch.cat(per_sample, dim=1)


def _tensor(value: Value) -> Tensor:
    """What is known to be a tensor: everything that depends on a neuron."""
    assert isinstance(value, Tensor)
    return value


def _batch_mean(evaluate: Evaluator, env: Env, n_samples: int) -> Value:
    """Sample by sample, so that no array ``[B, post, pre]`` is ever held."""
    total: Value = 0.0
    for sample in range(n_samples):
        env["sample"] = sample
        total = total + evaluate(env)
    return total / n_samples
