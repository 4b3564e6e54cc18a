"""The normal form of a rule: a sum of terms, each a product of one matrix product and cheap factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from circuitsim.rules.axes import Axis

ONE = sympy.Integer(1)


@dataclass(frozen=True)
class Term:
    """``coefficient * weight[i, j] * E_b[ post[b, i] * pre[b, j] ]``.

    Args:
        coefficient: depends on the replica at most.
        weight: depends on the synapse (w, per-synapse parameters, sums over synapses).
        post, pre: depend on the sample and one end. Both 1: the term does not depend on the data.
    """

    coefficient: sympy.Expr
    weight: sympy.Expr = ONE
    post: sympy.Expr = ONE
    pre: sympy.Expr = ONE

    @property
    def expressions(self) -> tuple[sympy.Expr, ...]:
        """Its factors."""
        return self.coefficient, self.weight, self.post, self.pre

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols in it."""
        return set().union(*(x.free_symbols for x in self.expressions))

    @property
    def has_data(self) -> bool:
        """Whether it depends on activity (decay does not)."""
        return not (self.post == ONE and self.pre == ONE)

    def __str__(self) -> str:
        moment = "*".join(f"({x})" if x.is_Add else str(x) for x in (self.post, self.pre) if x != ONE)
        parts = [str(x) for x in (self.coefficient, self.weight) if x != ONE]
        return " * ".join(parts + ([f"E[{moment}]"] if moment else [])) or "1"


@dataclass(frozen=True)
class SlowTerm:
    """An expression that mixes both ends of a synapse with the sample: evaluated sample by sample.

    Args:
        expression: depends on the sample, the postsynaptic and the presynaptic neuron.
    """

    expression: sympy.Expr
    has_data = True

    @property
    def expressions(self) -> tuple[sympy.Expr, ...]:
        """The one that there is."""
        return (self.expression,)

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols in it."""
        return set(self.expression.free_symbols)

    def __str__(self) -> str:
        return f"E[{self.expression}] (does not factor: sample by sample, slow)"


@dataclass(frozen=True)
class Reduction:
    """`symbol` stands for a sum or maximum over synapses.

    Args:
        symbol: the name given to it in the terms.
        kind: "sum_in", "sum_out", "max_in" or "max_out".
        body: the terms inside; within them a Term's E_b is dropped: the value depends on the sample.
        sampled: whether the value depends on the sample.
    """

    symbol: sympy.Symbol
    kind: str
    body: tuple[Term | SlowTerm, ...]
    sampled: bool

    def __str__(self) -> str:
        return f"{self.symbol} = {self.kind}({' + '.join(map(str, self.body)).replace('E[', '[')})"


@dataclass(frozen=True)
class Sum:
    """A rule in normal form: the sum of the terms, with the reductions they use, in order.

    Args:
        terms: the summands.
        reductions: sums and maxima over synapses that terms use, innermost first.
        axes: what each symbol depends on, those of the reductions included.
    """

    terms: tuple[Term | SlowTerm, ...]
    reductions: tuple[Reduction, ...] = ()
    axes: Mapping[sympy.Symbol, Axis] = field(default_factory=dict)

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols that an evaluation needs, those inside reductions included."""
        parts = [*self.terms, *(part for reduction in self.reductions for part in reduction.body)]
        return set().union(*(part.symbols for part in parts))

    @property
    def is_slow(self) -> bool:
        """Whether any part is evaluated sample by sample."""
        bodies = [part for reduction in self.reductions for part in reduction.body]
        return any(isinstance(part, SlowTerm) for part in [*self.terms, *bodies])

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms)) or "0"
