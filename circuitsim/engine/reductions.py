"""Sums and maxima over the synapses of a neuron or of an axon."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.lower import Evaluator, fold, lower
from circuitsim.engine.operations import ADD, MULTIPLY, Value, as_values
from circuitsim.engine.rule_names import RuleNames, as_tensor
from circuitsim.rules import Reduction, SlowTerm, Term
from circuitsim.rules.terms import ONE
from circuitsim.rules.vocabulary import local

Env = MutableMapping[str, Any]


class ReductionRunner:
    """A sum or maximum over synapses."""

    def __init__(self, reduction: Reduction, names: RuleNames) -> None:
        self.kind, self.layout, self.names = reduction.kind, names.layout, names
        self.name = names.binding[reduction.symbol].name
        self.weight_name = names.binding[local("w")].name
        terms = [self._term(t) if isinstance(t, Term) else self._slow(t) for t in reduction.body]
        self.value = fold(ADD, terms)

    def run(self, env: Env) -> None:
        """Put the value into `env`, ``[R, B or 1, neuron]``."""
        env[self.name] = self.value(env)

    def _term(self, term: Term) -> Evaluator:
        """``coefficient_r a_i sum_j v_ij b_j``: one product with the vector across the synapses, where there is one."""
        across, along = (term.pre, term.post) if self.kind.endswith("in") else (term.post, term.pre)
        weight, vector = lower(term.weight, self.names.at_synapse), lower(across, self.names.vectors)
        site = object()

        def over_synapses(env: Any) -> Value:
            run = env["workspace"].of(site)
            values = run("values", as_values, weight(env), env[self.weight_name])
            if across == ONE:
                return self.layout.reduce(run, self.kind, values)
            self.layout.restrict_(values)
            if self.kind == "sum_in":
                return self.layout.current(run, values, self._wide(vector(env), 1))
            return self.layout.back_current(run, values, self._wide(vector(env), 0))

        outside = [lower(x, self.names.vectors) for x in (term.coefficient, along) if x != ONE]
        return fold(MULTIPLY, [*outside, over_synapses])

    def _wide(self, vector: Value, end: int) -> Tensor:
        return as_tensor(vector).expand(-1, -1, self.layout.shape[end])

    def _slow(self, term: SlowTerm) -> Evaluator:
        """Sample by sample."""
        evaluate, site = lower(term.expression, self.names.of_sample), object()

        def over_samples(env: Any) -> Value:
            run, w = env["workspace"].of(site), env[self.weight_name]
            shape = (len(w), env["n_samples"], self.layout.shape[0 if self.kind.endswith("in") else 1])
            result = run("all", _empty, w, shape)
            for sample in range(env["n_samples"]):
                env["sample"] = sample
                values = run("values", as_values, evaluate(env), w)
                result[:, sample : sample + 1] = self.layout.reduce(run, self.kind, values)
            return result

        return over_samples


def _empty(like: Tensor, shape: tuple[int, ...], out: Tensor | None = None) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device) if out is None else out
