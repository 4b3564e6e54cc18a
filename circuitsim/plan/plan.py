"""Plans: what each phase computes, as the motif's expressions with their names resolved. Programs are made from plans,
and exporters that write equations rather than instructions read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy

from circuitsim.motif import Derived, Objective
from circuitsim.plan.instructions import Synapses
from circuitsim.plan.quantities import neuron
from circuitsim.rules import Sum


@dataclass(frozen=True)
class PopulationPlan:
    """How one phase computes a population's activity.

    Args:
        name, size, stream: as declared.
        source: where the drive comes from: "input", "target", "soma", "error", "nothing" (a bias unit, or noise
            alone), or "kept" if nothing drives the population in this phase and it keeps its values from the phase
            before.
        soma: the projections whose currents add up to the drive.
        activity, slope, trace: expressions in the quantities of this and of earlier populations.
        noise: the standard deviation of the noise that is added to the activity.
        states: the updates of the neurons' states, keyed by name.
        sampled: those of the states per sample.
        jumps: what the neuron's own spikes add to its states, keyed by name; only in spiking networks.
        computes_slope: whether anything reads the slope.
        computes_trace: whether rules and dendrites see a trace that differs from the activity in any phase.
        target: an objective whose target drives the population, or None.
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
    sampled: Mapping[str, sympy.Expr] = field(default_factory=dict)
    jumps: Mapping[str, sympy.Expr] = field(default_factory=dict)
    computes_slope: bool = False
    computes_trace: bool = False
    target: Objective | None = None

    @property
    def seen(self) -> sympy.Symbol:
        """The quantity that rules and dendrites see, the trace or the activity."""
        return neuron("trace" if self.computes_trace else "activity", self.name)


@dataclass(frozen=True)
class ProjectionPlan:
    """What one projection delivers in a phase, and how it changes.

    Args:
        name, pre, post, bounds, derived: as declared (`derived` is the declaration's `tied_to`).
        compartment: the compartment to which the projection is wired in this phase.
        synapses: its shape and layout.
        plastic: whether the phase changes its weights.
        rule: the rule in normal form, or None. Each quantity of neurons carries the end of the synapse at which it is
            read, as in `up1.activity@pre`.
        gain: the factor of its soma current in this phase.
        delay: how many iterations its soma current is behind.
        states: the updates of its synapses' states in normal form, keyed by name.
        sampled: those of the states per sample, each a single term.
        jumps: what spikes at each end ("pre" or "post") add to the weight ("w") and to states, in normal form; only
            in spiking networks.
    """

    name: str
    pre: str
    post: str
    compartment: str
    synapses: Synapses
    plastic: bool
    rule: Sum | None
    bounds: tuple[float | None, float | None] | None
    derived: Derived | None
    gain: float = 1.0
    delay: int = 0
    states: Mapping[str, Sum] = field(default_factory=dict)
    sampled: Mapping[str, Sum] = field(default_factory=dict)
    jumps: Mapping[str, Mapping[str, Sum]] = field(default_factory=dict)

    @property
    def sums(self) -> list[Sum]:
        """The rule and everything that spikes add."""
        return [*([] if self.rule is None else [self.rule]), *(s for of in self.jumps.values() for s in of.values())]

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of neurons, (post, pre)."""
        return self.synapses.shape

    @property
    def layout(self) -> str:
        """How the synapses are stored: "dense", "one_to_one" or "sparse"."""
        return self.synapses.layout


@dataclass(frozen=True)
class Times:
    """The time steps of a step's sequences.

    Args:
        n: their number.
        inputs, targets: the populations whose input or target is a sequence; those of others hold for all time steps.
    """

    n: int = 1
    inputs: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()


ONCE = Times()  # no sequences


@dataclass(frozen=True)
class Plan:
    """What one phase of a step computes.

    Args:
        name: the motif's name, followed by the phase's if there are several phases.
        phase: the phase's name.
        populations: keyed by name, in the order of the sweep.
        projections: keyed by name.
        objectives: the objectives that drive errors in this phase.
        signals: the names of the signals that the caller supplies, one number per sample.
        computed: the expressions of the signals that the circuit computes, one number for all samples, keyed by name.
        repeat: how many iterations the phase has, or "time" for as many as there are time steps.
        apply: when its changes are made, as declared.
    """

    name: str
    phase: str
    populations: Mapping[str, PopulationPlan]
    projections: Mapping[str, ProjectionPlan]
    objectives: tuple[Objective, ...]
    signals: tuple[str, ...] = ()
    computed: Mapping[str, sympy.Expr] = field(default_factory=dict)
    repeat: int | str = 1
    apply: str = "phase"

    def n_iterations(self, times: Times) -> int:
        """How many iterations the phase has.

        Args:
            times: the time steps of sequences.
        Returns:
            The number of iterations.
        """
        return self.repeat if isinstance(self.repeat, int) else times.n

    @property
    def outputs(self) -> tuple[str, ...]:
        """The populations whose activity the objectives evaluate."""
        return tuple(dict.fromkeys(o.output for o in self.objectives))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The populations whose drive is an input to the circuit."""
        return tuple(p.name for p in self.populations.values() if p.source == "input")

    def plastic(self) -> Iterator[ProjectionPlan]:
        """The projections that the phase changes.

        Returns:
            An iterator, in the order of declaration.
        """
        return (p for p in self.projections.values() if p.plastic)
