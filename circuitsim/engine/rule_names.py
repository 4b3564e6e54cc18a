"""Read the names of one rule: at each synapse, of one sample, or as a vector over neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import Evaluator
from circuitsim.engine.operations import Value
from circuitsim.engine.sweep import read_quantity
from circuitsim.plan import ProjectionPlan
from circuitsim.rules import Axis


class RuleNames:
    """What the names of one rule stand for, in three ways of looking."""

    def __init__(self, p: ProjectionPlan, layout: Layout) -> None:
        assert p.rule is not None
        self.binding, self.axes, self.layout = p.binding, p.rule.axes, layout

    def _placed(self, symbol: sympy.Symbol, read: Evaluator) -> Evaluator:
        axes, site = self.axes[symbol] & Axis.SYNAPSE, object()
        if axes == Axis.POST:
            return lambda env: self.layout.at_post(env["workspace"].of(site), as_tensor(read(env)))
        if axes == Axis.PRE:
            return lambda env: self.layout.at_pre(env["workspace"].of(site), as_tensor(read(env)))
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
            value = as_tensor(read(env))
            k = env["sample"] if value.shape[1] > 1 else 0
            return value[:, k : k + 1]

        return self._placed(symbol, of_one)

    def vectors(self, symbol: sympy.Symbol) -> Evaluator:
        """A vector over one end, not placed at synapses."""
        return read_quantity(self.binding[symbol])


def as_tensor(value: Value) -> Tensor:
    """What is known to be a tensor: everything that depends on a neuron."""
    assert isinstance(value, Tensor)
    return value
