"""Sums and maxima over the synapses of a neuron or of an axon."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.lower import Evaluator, Value, lower
from circuitsim.engine.rule_names import RuleNames, as_tensor
from circuitsim.rules import Reduction, SlowTerm, Term
from circuitsim.rules.terms import ONE
from circuitsim.rules.vocabulary import local

Env = MutableMapping[str, Any]


class ReductionRunner:
    """A sum or maximum over synapses."""

    def __init__(self, reduction: Reduction, names: RuleNames) -> None:
        self.reduction, self.layout = reduction, names.layout
        self.name = names.binding[reduction.symbol].name
        self.inward = reduction.kind.endswith("in")
        self.weight_name = names.binding[local("w")].name
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
        return as_tensor(vector).expand(-1, -1, self.layout.shape[end])

    def _reduce(self, body: Evaluator, env: Env) -> Tensor:
        return self.layout.reduce(self.reduction.kind, self._values(body, env))

    def _reduce_slow(self, env: Env) -> Tensor:
        like = env[self.weight_name]
        per_sample = [like.new_zeros(len(like), 0, self.layout.shape[0 if self.inward else 1])]  # there may be none
        for sample in range(env["n_samples"]):
            env["sample"] = sample
            per_sample.append(sum((self._reduce(body, env) for body in self.slow[1:]), self._reduce(self.slow[0], env)))
        return torch.cat(per_sample, dim=1)
