"""The change of the synapses of one projection in one step."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import Evaluator, fold, lower
from circuitsim.engine.operations import ADD, MULTIPLY, as_values, fitting
from circuitsim.engine.reductions import ReductionRunner
from circuitsim.engine.rule_names import RuleNames
from circuitsim.engine.share import Share
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import Change, Moment, ProjectionPlan
from circuitsim.rules import SlowTerm
from circuitsim.rules.terms import ONE
from circuitsim.rules.vocabulary import local

Env = MutableMapping[str, Any]


@dataclass(frozen=True)
class Linear:
    """A rule of the form ``w <- keep * w + rate * E[post pre]``, which takes one pass over the weights.

    Args:
        change: names the product.
        keep, rate: numbers, or ``[R, 1, 1]``.
    """

    change: Change
    keep: Evaluator
    rate: Evaluator


class ProjectionChange:
    """The rule of one projection, lowered.

    Attributes:
        moments: the batch means that it reads.
        linear: its short form, where it has one.
        owns_product: whether no other projection uses the products that it uses.
    """

    def __init__(self, p: ProjectionPlan, layout: Layout) -> None:
        assert p.rule is not None
        self.name, self.plan, self.layout = p.name, p, layout
        self.names = RuleNames(p, layout)
        self.reductions = [ReductionRunner(r, self.names) for r in p.rule.reductions]
        slow = [self._slow(t) for t in p.rule.terms if isinstance(t, SlowTerm)]
        self._all = _sum([*map(self._term, p.changes), *slow])
        self._data = _sum([*(self._term(c) for c in p.changes if c.moment is not None), *slow])
        self.moments = {c.moment for c in p.changes if c.moment is not None}
        self.linear = None if slow else _linear(p.changes)
        self.owns_product = True

    def products(self, moments: Sequence[Moment]) -> set[int]:
        """The matrix products that it uses."""
        return {k for k in self.moments if moments[k].is_product}

    def reduce(self, env: Env) -> None:
        """The sums over synapses that the rule uses, from the state before the step, into `env`."""
        for reduction in self.reductions:
            reduction.run(env)

    def delta(self, env: Env, data_only: bool = False) -> Tensor:
        """The whole change, in the layout's shape; 0 at absent synapses."""
        value = (self._data if data_only else self._all)(env)
        return self.layout.restrict_(env["workspace"].run((self, "delta"), as_values, value, env[f"w[{self.name}]"]))

    def apply_(self, w: Tensor, env: Env) -> None:
        """Change the weights in place."""
        if self.linear is None or not env["means"].moments[self.linear.change.moment].is_product:
            w.add_(self.delta(env))
        elif self.owns_product and env["share"].is_whole:  # what is shared is summed over processes first
            self._add_product_(w, env, self.linear)
        else:
            self._add_mean_(w, env, self.linear)
        self.restrict_(w)

    def _add_product_(self, w: Tensor, env: Env, linear: Linear) -> None:
        """``w <- keep w + (rate / B) post^T pre``, the product straight into the weights."""
        run = env["workspace"].of(self)
        post, pre = env["means"].factors(linear.change)
        keep, rate = env["rates"][self.name]
        if isinstance(rate, Tensor):
            post, rate = run("scaled", torch.mul, post, rate), 1.0
        if isinstance(keep, Tensor):
            w.mul_(keep)
            keep = 1.0
        self.layout.add_moment_(run, w, post, pre, keep, rate / env["n_samples"])

    def _add_mean_(self, w: Tensor, env: Env, linear: Linear) -> None:
        """``w <- keep w + rate M`` with a mean that others use too, perhaps scaled by `rate` already."""
        keep, rate = env["rates"][self.name]
        mean = env["means"].of(linear.change, self.layout)
        if linear.change.moment in env["means"].scales and isinstance(keep, float):
            torch.add(mean, w, alpha=keep, out=w)
            return
        w.mul_(keep)
        if linear.change.moment in env["means"].scales:
            w.add_(mean)
        elif isinstance(rate, Tensor):
            w.addcmul_(mean, rate)
        else:
            w.add_(mean, alpha=rate)

    def restrict_(self, w: Tensor) -> None:
        """Clip to the bounds; absent synapses stay absent."""
        if self.plan.bounds is not None:
            low, high = (None if bound is None else fitting(bound, w) for bound in self.plan.bounds)
            w.clamp_(low, high)
        self.layout.restrict_(w)

    def _term(self, change: Change) -> Evaluator:
        """``coefficient * weight * moment``."""
        factors = []
        if change.coefficient != ONE:
            factors.append(lower(change.coefficient, read_quantity))
        if change.weight != ONE:
            factors.append(lower(change.weight, self.names.at_synapse))
        if change.moment is not None:
            factors.append(lambda env: env["means"].of(change, self.layout))
        return fold(MULTIPLY, factors) if factors else lambda env: 1.0

    def _slow(self, term: SlowTerm) -> Evaluator:
        """Sample by sample, so that no array ``[B, post, pre]`` is ever held."""
        evaluate, site = lower(term.expression, self.names.of_sample), object()

        def mean(env: Any) -> Tensor:
            w = env[f"w[{self.name}]"]
            total: Tensor = env["workspace"].run(site, as_values, 0.0, w)
            for sample in range(env["n_samples"]):
                env["sample"] = sample
                total.add_(evaluate(env))
            share: Share = env["share"]
            return share.sum(total).div_(share.n_samples)

        return mean


def _sum(terms: list[Evaluator]) -> Evaluator:
    return fold(ADD, terms) if terms else lambda env: 0.0


def _linear(changes: Sequence[Change]) -> Linear | None:
    data = [c for c in changes if c.moment is not None]
    decays = [c.coefficient for c in changes if c.moment is None and c.weight == local("w")]
    if len(data) != 1 or len(decays) != len(changes) - 1 or data[0].weight != ONE:
        return None
    return Linear(data[0], lower(1 + sympy.Add(*decays), read_quantity), lower(data[0].coefficient, read_quantity))
