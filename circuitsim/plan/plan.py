"""What a step will do. Both lowerings, torch and Brian2, read nothing else of the motif's expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy

from circuitsim.motif.objective import Objective
from circuitsim.motif.projection import Derived
from circuitsim.rules import Sum
from circuitsim.rules.terms import ONE


@dataclass(frozen=True)
class PopulationPlan:
    """How one population gets its activity.

    Args:
        name, size, stream: as declared.
        source: where the drive comes from: "input", "soma", "error", "nothing" (a bias unit, or noise alone), or
            "kept": nothing drives it in this phase, and it keeps what the phase before left.
        soma: the projections whose currents add up to the drive.
        activity, slope, trace: expressions in the quantities of this and of earlier populations.
        noise: standard deviation of what is added to the activity.
        states: updates of what the neurons remember, by name.
        computes_slope, computes_trace: whether something reads the slope; whether a trace is declared.
    """

    name: str
    size: int
    stream: str
    source: str
    soma: tuple[str, ...]
    activity: sympy.Expr
    slope: sympy.Expr
    trace: sympy.Expr
    noise: float = 0.0
    states: Mapping[str, sympy.Expr] = field(default_factory=dict)
    computes_slope: bool = False
    computes_trace: bool = False


@dataclass(frozen=True)
class Moment:
    """A batch mean ``E_b[ post[b, i] * pre[b, j] ]``: a matrix product, or a mean where one factor is 1.

    Args:
        post, pre: expressions that depend on the sample and one end.
        layout: "dense", "one_to_one" or "sparse": which synapses it is computed for.
        shape: (post, pre).
        synapses: where it is sparse: of which projection, and whether seen from the other side.
    """

    post: sympy.Expr
    pre: sympy.Expr
    layout: str
    shape: tuple[int, int]
    synapses: tuple[str, bool] | None = None

    @property
    def is_product(self) -> bool:
        """Whether it takes a matrix product."""
        return bool(self.post != ONE and self.pre != ONE)

    def transposed(self) -> Moment:
        """The same numbers, seen from the other side.

        Returns:
            The moment with its two ends exchanged.
        """
        other = None if self.synapses is None else (self.synapses[0], not self.synapses[1])
        return Moment(self.pre, self.post, self.layout, self.shape[::-1], other)


@dataclass(frozen=True)
class Change:
    """One fast term of a rule: ``coefficient * weight[i, j] * moment[i, j]``.

    Args:
        coefficient: depends on the replica at most.
        weight: depends on the synapse.
        moment: index into `Plan.moments`, or None for a term without data, such as decay.
        transposed: whether the moment is read transposed.
    """

    coefficient: sympy.Expr
    weight: sympy.Expr
    moment: int | None
    transposed: bool = False


@dataclass(frozen=True)
class ProjectionPlan:
    """What one projection delivers and how it changes.

    Args:
        name, pre, post, target, bounds, derived: as declared.
        shape: (post, pre).
        layout: "dense", "one_to_one" or "sparse".
        plastic: whether a step changes it.
        rule: in normal form, in the rule's own names (`pre`, `I_V1`), or None.
        binding: which quantity of the plan each of these names stands for.
        changes: the fast terms of the rule, with their moments resolved.
        current_read: whether a rule reads its current.
        gain: what its soma current is multiplied by in this phase.
        states: updates of what its synapses remember, by name.
        synapses: whose connectivity it has, and whether seen from the other side.
    """

    name: str
    pre: str
    post: str
    target: str
    shape: tuple[int, int]
    layout: str
    plastic: bool
    rule: Sum | None
    binding: Mapping[sympy.Symbol, sympy.Symbol]
    changes: tuple[Change, ...]
    bounds: tuple[float | None, float | None] | None
    derived: Derived | None
    current_read: bool
    gain: float = 1.0
    states: Mapping[str, StatePlan] = field(default_factory=dict)
    synapses: tuple[str, bool] = ("", False)


@dataclass(frozen=True)
class StatePlan:
    """The new value of one state of a projection's synapses.

    Args:
        rule, binding, changes: as in `ProjectionPlan`.
    """

    rule: Sum
    binding: Mapping[sympy.Symbol, sympy.Symbol]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Plan:
    """One phase of a step: sweep, currents, moments, changes. Print it to read it.

    A motif without phases has one plan, which is the whole step.

    Args:
        name: of the motif.
        populations: by name, in the order of the sweep.
        projections: by name.
        objectives: those that drive errors in this phase.
        moments: batch means, each computed once.
        signals: names of numbers per sample that come from outside.
    """

    name: str
    populations: Mapping[str, PopulationPlan]
    projections: Mapping[str, ProjectionPlan]
    objectives: tuple[Objective, ...]
    moments: tuple[Moment, ...]
    signals: tuple[str, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The populations that objectives look at."""
        return tuple(dict.fromkeys(o.output for o in self.objectives))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The populations whose activity is given from outside."""
        return tuple(p.name for p in self.populations.values() if p.source == "input")

    def plastic(self) -> Iterator[ProjectionPlan]:
        """The projections that a step changes.

        Returns:
            An iterator, in the order of declaration.
        """
        return (p for p in self.projections.values() if p.plastic)

    def __str__(self) -> str:
        from circuitsim.plan.describe import describe

        return describe(self)
