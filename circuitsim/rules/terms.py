"""The normal form of a rule is a sum of terms, each of them a matrix product times inexpensive factors."""

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
        coefficient: the factors that depend on no axis but the replica.
        weight: the factors that depend on the synapse (w, per-synapse parameters, sums over synapses).
        post, pre: the factors that depend on the sample and one end. If both are 1, the term is independent of the
            data.
    """

    coefficient: sympy.Expr
    weight: sympy.Expr = ONE
    post: sympy.Expr = ONE
    pre: sympy.Expr = ONE

    @property
    def expressions(self) -> tuple[sympy.Expr, ...]:
        """The four factors."""
        return self.coefficient, self.weight, self.post, self.pre

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols in the term."""
        return set().union(*(x.free_symbols for x in self.expressions))

    @property
    def has_data(self) -> bool:
        """Whether the term depends on activity; a decay term does not."""
        return not (self.post == ONE and self.pre == ONE)

    def __str__(self) -> str:
        moment = "*".join(f"({x})" if x.is_Add else str(x) for x in (self.post, self.pre) if x != ONE)
        parts = [str(x) for x in (self.coefficient, self.weight) if x != ONE]
        return " * ".join(parts + ([f"E[{moment}]"] if moment else [])) or "1"


@dataclass(frozen=True)
class SlowTerm:
    """An expression that does not factor and is therefore evaluated sample by sample.

    Args:
        expression: an expression that mixes the sample with the postsynaptic and the presynaptic neuron.
    """

    expression: sympy.Expr
    has_data = True

    @property
    def expressions(self) -> tuple[sympy.Expr, ...]:
        """The expression, as a tuple."""
        return (self.expression,)

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols in the term."""
        return set(self.expression.free_symbols)

    def __str__(self) -> str:
        return f"E[{self.expression}] (does not factor: sample by sample, slow)"


@dataclass(frozen=True)
class Reduction:
    """A sum or maximum over synapses, or a mean over a batch and its neurons, which a symbol stands for.

    Args:
        symbol: the symbol that replaces the reduction in the terms.
        kind: "sum_in", "sum_out", "max_in", "max_out" or "mean".
        body: the terms inside the reduction, which are evaluated per sample, without the batch mean E_b.
    """

    symbol: sympy.Symbol
    kind: str
    body: tuple[Term | SlowTerm, ...]

    def __str__(self) -> str:
        return f"{self.symbol} = {self.kind}({' + '.join(map(str, self.body)).replace('E[', '[')})"


@dataclass(frozen=True)
class Sum:
    """A rule in normal form.

    Args:
        terms: the summands.
        reductions: the sums, maxima and means that the terms use, innermost first.
        axes: the axes of each symbol, including the symbols of the reductions.
    """

    terms: tuple[Term | SlowTerm, ...]
    reductions: tuple[Reduction, ...] = ()
    axes: Mapping[sympy.Symbol, Axis] = field(default_factory=dict)

    @property
    def _parts(self) -> list[Term | SlowTerm]:
        """The summands, and those inside reductions."""
        return [*self.terms, *(part for reduction in self.reductions for part in reduction.body)]

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """All symbols that an evaluation needs, including those inside reductions."""
        return set().union(*(part.symbols for part in self._parts))

    @property
    def is_slow(self) -> bool:
        """Whether any part is evaluated sample by sample."""
        return any(isinstance(part, SlowTerm) for part in self._parts)

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms)) or "0"
