"""Build the plan of each phase from a valid motif."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import sympy

from circuitsim.errors import MotifError, RuleError
from circuitsim.motif import Edges, Motif, OneToOne, Population, Projection, Random, ReciprocalOf, State, checks
from circuitsim.motif.expressions import PREVIOUS, SPIKE, Expressions, expressions_of, in_phase, rule_vocabulary
from circuitsim.motif.population import gates_of
from circuitsim.motif.synapses import bounds_of, settled
from circuitsim.motif.wiring import Wiring, labels_of, wirings
from circuitsim.plan.fields import fields_of
from circuitsim.plan.instructions import Synapses
from circuitsim.plan.plan import Plan, PopulationPlan, ProjectionPlan
from circuitsim.plan.quantities import BATCH_SIZE, POST, PRE, at, current, neuron, of, signal, synapse
from circuitsim.rules import Axis, Sum, factor
from circuitsim.rules.elementwise import ELEMENTWISE
from circuitsim.rules.functions import COMPARISONS
from circuitsim.rules.vocabulary import SPIKES, at_spikes, local

# Up to this density, synapses are stored as a list rather than an array. On two cores a product with an array takes
# 0.02 ns per pair and sample, with a list 0.12 ns per synapse and sample (docs/performance.md).
SPARSE_BELOW = 0.05
SMALL = 1000  # pairs, below which an array costs less than the overhead of a list
# Local fields are multiplied as matrices, at 0.04 ns per synapse and sample, with an overhead for each place.
FIELDS_BELOW, FIELDS_SMALL = 0.3, 100_000

Names = Mapping[sympy.Symbol, sympy.Expr]


def build_plans(motif: Motif, frozen: Collection[str] = ()) -> tuple[Plan, ...]:
    """Work out what a step does, with one plan for each phase.

    Args:
        motif: a valid motif (`Motif.validate`).
        frozen: names of projections that must not change, in addition to those declared fixed.
    Returns:
        The plans, in the order of the phases.
    Raises:
        MotifError: a rule divides by zero, which becomes visible only when it is multiplied out.
    Example:
        >>> from circuitsim.plan import build_plans
        >>> from motifs import weight_mirror
        >>> [[p.name for p in plan.plastic()] for plan in build_plans(weight_mirror([4, 3, 2]))]
        [['W0', 'W1'], ['Wt1']]
    """
    builder = _Builder(motif, frozenset(frozen))
    plans = [builder.phase(wiring) for wiring in wirings(motif)]
    read = set().union(*map(_names_read, plans))  # a later phase may read what an earlier one computes
    return tuple(_with_slopes(plan, read) for plan in plans)


class _Builder:
    """Builds the plans of one motif. Whatever is the same in all phases is worked out once."""

    def __init__(self, motif: Motif, frozen: frozenset[str]) -> None:
        self.motif, self.frozen = motif, frozen
        self.expressions: Expressions = expressions_of(motif)
        self.declared = {p.name: p for p in motif.populations}
        self.signals: dict[sympy.Symbol, sympy.Expr] = {local(s.name): signal(s.name) for s in motif.signals}
        self.synapses = {p.name: synapses_of(motif, p) for p in motif.projections}
        self.axes = {p.name: rule_vocabulary(motif, p).axes for p in motif.projections}
        self.normal_form = functools.lru_cache(maxsize=None)(self._normal_form)

    def phase(self, wiring: Wiring) -> Plan:
        phase = wiring.phase
        populations = {name: self.population(wiring, self.declared[name]) for name in wiring.order}
        projections = {p.name: self.projection(wiring, p, populations) for p in wiring.projections.values()}
        objectives = self.motif.objectives if phase.errors else ()
        name = self.motif.name if len(self.motif.phases) == 1 else f"{self.motif.name}: {phase.name}"
        given = tuple(s.name for s in self.motif.signals if s.is_given)
        return Plan(
            name, phase.name, populations, projections, objectives, given, self.computed, phase.repeat, phase.apply
        )

    @functools.cached_property
    def computed(self) -> Mapping[str, sympy.Expr]:
        """The signals that the circuit computes."""
        names: dict[sympy.Symbol, sympy.Expr] = {}
        for p in self.declared if self.expressions.signal else ():
            names |= {local(f"{kind}_{p}"): neuron(kind, p) for kind in ("activity", "drive")}
            names[local(f"slope_{p}")] = self.slope_of(p)
        return {name: expression.xreplace(names) for name, expression in self.expressions.signal.items()}

    # -- populations

    def population(self, wiring: Wiring, p: Population) -> PopulationPlan:
        source, phase = wiring.source[p.name], wiring.phase
        noise = float(phase.noise.get(p.name, 0.0))
        activity, slope, trace, updates = self.neurons(p.name, source == "nothing", noise != 0.0)
        states, sampled = _apart(updates, p.state) if phase.changes(p.name) and source != "kept" else ({}, {})
        soma = wiring.soma_onto[p.name]
        return PopulationPlan(
            p.name, p.size, p.stream, source, soma, activity, slope, trace,
            noise=noise, computes_trace=self.expressions.trace[p.name] != local("activity"),
            states=states, sampled=sampled, jumps=self.at_spikes(p.name), target=labels_of(self.motif).get(p.name),
        )  # fmt: skip

    @functools.cache  # noqa: B019  # the builder lives as long as one call of build_plans
    def neurons(
        self, name: str, undriven: bool = False, is_noisy: bool = False
    ) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr, Mapping[str, sympy.Expr]]:
        """A population's activity, slope and trace, and the updates of its states."""
        p = self.declared[name]
        drive = neuron("drive", name)
        remembered = {local(state): neuron(state, name) for state in p.state}
        names: dict[sympy.Symbol, sympy.Expr] = {local("drive"): drive, **remembered}
        names[local(PREVIOUS)] = neuron(PREVIOUS, name)
        for gate in gates_of(p):
            names |= {local(f"activity_{gate}"): neuron("activity", gate), local(f"slope_{gate}"): self.slope_of(gate)}
        activity = self.expressions.activation[name].xreplace(names)
        slope = activity.diff(drive)
        if not (activity.is_Symbol or activity.is_Number or is_noisy):  # noise does not enter the slope
            slope = slope.xreplace({activity: neuron("activity", name)})  # tanh' = 1 - tanh**2, which is known already
        own: dict[sympy.Symbol, sympy.Expr] = {local(k): neuron(k, name) for k in ("activity", "drive", "slope")}
        own |= remembered | self.signals
        if undriven:
            own[local("drive")] = sympy.Integer(0)
            activity, slope = activity.xreplace({drive: sympy.Integer(0)}), slope.xreplace({drive: sympy.Integer(0)})
        states = {
            state: self.expressions.neuron_state[name, state].xreplace(own | _numbers(declared.parameters))
            for state, declared in p.state.items()
            if not declared.is_traced
        }
        return activity, slope, self.expressions.trace[name].xreplace(own), states

    def at_spikes(self, name: str) -> Mapping[str, sympy.Expr]:
        """What a population's own spikes add to its states."""
        p = self.declared[name]
        names: dict[sympy.Symbol, sympy.Expr] = {local(k): neuron(k, name) for k in ("activity", "drive", *p.state)}
        names |= {local("slope"): self.slope_of(name)} | self.signals
        found: dict[str, sympy.Expr] = {}
        for state, declared in ((k, v) for k, v in p.state.items() if v.is_traced):
            expression = self.expressions.neuron_state[name, state].xreplace(_numbers(declared.parameters))
            _, jumps = at_spikes(expression, [local(SPIKE)], name)
            found[state] = sympy.Add(*jumps.values()).xreplace(names)
        return found

    @functools.cache  # noqa: B019  # see `neurons`
    def slope_of(self, population: str) -> sympy.Expr:
        """What an expression reads as a population's slope: the slope itself if it is a gate (as for ReLU), else its
        symbol."""
        drive = local("drive")
        slope = self.expressions.activation[population].diff(drive)
        if _is_gate(slope, drive):
            return slope.xreplace({drive: neuron("drive", population)})
        return neuron("slope", population)

    # -- projections

    def projection(self, wiring: Wiring, p: Projection, populations: Mapping[str, PopulationPlan]) -> ProjectionPlan:
        phase, post = wiring.phase, populations[p.post]
        planned = ProjectionPlan(
            p.name, p.pre, p.post, p.compartment, self.synapses[p.name],
            plastic=False, rule=None, bounds=bounds_of(self.motif, p), derived=p.tied_to,
            gain=phase.gain(p.name) if p.compartment == "soma" else 1.0, delay=p.delay,
        )  # fmt: skip
        if p.name in self.frozen or not phase.changes(p.name):
            return planned
        names = dict(self.names(p, populations[p.pre].seen, post.seen, wiring))
        for end, population in ((PRE, populations[p.pre]), (POST, post)):
            if end == PRE and p.delay:  # which is read of an earlier iteration
                continue
            if population.source != "kept" and population.slope.is_Number:
                names[local(f"slope_{end}")] = population.slope
            if population.source == "nothing":
                names[local(f"drive_{end}")] = sympy.Integer(0)
        bound = tuple(names.items())
        stepped = {k: self.normal_form(p.name, k, bound) for k, state in p.state.items() if not state.is_traced}
        states, sampled = _apart(stepped, p.state)
        traced = [k for k, state in p.state.items() if state.is_traced]
        rule = self.normal_form(p.name, None, bound) if p.is_plastic else None
        changing = [*([None] if p.is_plastic else []), *traced]
        jumps = {
            end: {k or "w": form for k in changing if (form := self.normal_form(p.name, k, bound, end)).terms}
            for end in (PRE, POST)
        }
        return dataclasses.replace(
            planned, plastic=p.is_plastic, states=states, sampled=sampled, rule=rule, jumps=jumps
        )

    def names(self, p: Projection, pre: sympy.Symbol, post: sympy.Symbol, wiring: Wiring) -> Names:
        """Map the names in a projection's expressions to the quantities that they denote in one phase."""
        names: dict[sympy.Symbol, sympy.Expr] = {local("pre"): at(pre, PRE), local("post"): at(post, POST)}
        for end, population in ((PRE, p.pre), (POST, p.post)):
            slope = self.slope_of(population)
            names |= {local(f"{kind}_{end}"): at(neuron(kind, population), end) for kind in ("activity", "drive")}
            names[local(f"slope_{end}")] = slope.xreplace({s: at(s, end) for s in slope.free_symbols})
        names |= {local("w"): synapse("w", p.name), local("batch_size"): BATCH_SIZE}
        names |= {local(in_phase(f.name)): sympy.Integer(f is wiring.phase) for f in self.motif.phases}
        currents = {local(f"I_{q}"): at(current(q), POST) for q in wiring.onto(p.post)}
        names |= currents | {name: total.xreplace(currents) for name, total in wiring.sums(p.name).items()}
        parameters = p.rule.parameters if p.rule is not None else {}
        names |= {local(name): synapse(name, p.name) for name in (*parameters, *p.state)}
        for end, population in ((PRE, p.pre), (POST, p.post)):
            for state in self.declared[population].state:
                names[local(f"{state}_{end}")] = at(neuron(state, population), end)
        return names | self.signals

    def _normal_form(
        self, projection: str, state: str | None, bound: tuple[tuple[sympy.Symbol, Any], ...], end: str = ""
    ) -> Sum:
        """The rule (where `state` is None) or a state's update as a sum of terms, with its names replaced by `bound`;
        of the two, what a spike at this end adds, or without an end, what depends on no spike.

        Raises:
            MotifError: the expression divides by zero when it is multiplied out.
        """
        names, axes, per_sample = dict(bound), self.axes[projection], False
        if state is None:
            expression = self.expressions.rule[projection]
        else:
            declared = next(p for p in self.motif.projections if p.name == projection).state[state]
            expression = self.expressions.synapse_state[projection, state]
            names, per_sample = names | _numbers(declared.parameters), declared.per_sample
        rest, jumps = at_spikes(expression, list(map(local, SPIKES)), projection)
        expression = jumps.get(local(f"spike_{end}"), sympy.Integer(0)) if end else rest
        part = "_".join(filter(None, [state, end and f"{end}_spike"]))
        prefix = f"{projection}:{part}." if part else f"{projection}:"
        bound_axes: dict[sympy.Symbol, Axis] = {}
        for name, value in names.items():
            for symbol in value.free_symbols:  # several if the name denotes a sum of currents
                bound_axes[symbol] = axes[name] if name in axes else Axis.SAMPLE | Axis.POST
        try:
            return factor(expression.xreplace(names), bound_axes, prefix, per_sample)
        except RuleError as error:
            what = "rule" if state is None else f"state {state!r}"
            raise MotifError(f"projection {projection!r}: {what} {error}") from None


def _is_gate(slope: sympy.Expr, drive: sympy.Symbol) -> bool:
    """Whether a slope compares the drive with a number, and is 0 at a drive of 0.

    A population that nothing has driven so far in a step has slope 0 and drive 0, so the two must agree there.
    """
    if not isinstance(slope, COMPARISONS) or not all(a == drive or a.is_Number for a in slope.args):
        return False
    compare = ELEMENTWISE[type(slope).__name__]
    return not compare(*(0.0 if a == drive else float(a) for a in slope.args))


def _apart(updates: Mapping[str, Any], states: Mapping[str, State]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The updates of the states that last, and of those per sample."""
    kinds = ({name: u for name, u in updates.items() if states[name].per_sample is kind} for kind in (False, True))
    lasting, sampled = kinds
    return lasting, sampled


def _numbers(parameters: Mapping[str, Any]) -> dict[sympy.Symbol, sympy.Expr]:
    return {local(name): sympy.Float(float(value)) for name, value in parameters.items()}


def _names_read(plan: Plan) -> set[str]:
    """The names of all quantities that a plan reads."""
    expressions = [*plan.computed.values()]
    for p in plan.populations.values():
        expressions += [p.activity, *p.states.values(), *p.sampled.values(), *([p.trace] if p.computes_trace else [])]
    rules = [r for q in plan.projections.values() for r in (q.rule, *q.states.values(), *q.sampled.values())]
    symbols = [*(e.free_symbols for e in expressions), *(rule.symbols for rule in rules if rule is not None)]
    return {of(symbol) for symbol in set().union(*symbols)}


def _with_slopes(plan: Plan, read: Collection[str]) -> Plan:
    """The plan, which computes the slopes that are read."""
    populations = {
        name: dataclasses.replace(p, computes_slope=neuron("slope", name).name in read)
        for name, p in plan.populations.items()
    }
    return dataclasses.replace(plan, populations=populations)


def synapses_of(motif: Motif, p: Projection) -> Synapses:
    """The synapses of a projection: their shape, layout and pattern.

    Args:
        motif: knows the sizes.
        p: one of its projections.
    Returns:
        What programs know of them.
    Example:
        >>> from circuitsim.plan import synapses_of
        >>> from motifs import sal
        >>> motif = sal([4, 3, 2])
        >>> print(synapses_of(motif, motif.projection("V2")))
        2x2 one_to_one
    """
    return Synapses(p.name, checks.shape(motif, p), layout_of(motif, p), _pattern(motif, p))


def _pattern(motif: Motif, p: Projection) -> tuple[str, bool]:
    """Whose synapses it has, and whether from the other side: its own, or those of what it is tied or reciprocal to."""
    if p.tied_to is not None:
        name, turned = _pattern(motif, motif.projection(p.tied_to.projection))
        return name, turned != p.tied_to.transpose
    if isinstance(p.connectivity, ReciprocalOf):
        name, turned = _pattern(motif, motif.projection(p.connectivity.projection))
        return name, not turned
    return p.name, False


def layout_of(motif: Motif, p: Projection) -> str:
    """How synapses are stored.

    One-to-one projections need one number a neuron. Few synapses of many possible ones are listed ("sparse"); all
    others take an array ``[post, pre]`` ("dense").

    Args:
        motif: knows the sizes.
        p: one of its projections.
    Returns:
        "dense", "one_to_one" or "sparse".
    Example:
        >>> from circuitsim.plan import layout_of
        >>> from motifs import sal
        >>> motif = sal([4, 3, 2])
        >>> layout_of(motif, motif.projection("V1")), layout_of(motif, motif.projection("V2"))
        ('dense', 'one_to_one')
    """
    if p.tied_to is not None:
        return layout_of(motif, motif.projection(p.tied_to.projection))
    shape = checks.shape(motif, p)
    n_pairs = math.prod(shape)
    match settled(motif, p):
        case ReciprocalOf(projection=name):
            return layout_of(motif, motif.projection(name))
        case OneToOne():
            return "one_to_one"
        case Random(probability=probability):
            n_synapses = float(np.mean(probability)) * n_pairs
        case Edges() as edges:
            numbers = edges.synapses(shape[1])
            n_synapses = len(numbers)
            if SPARSE_BELOW < n_synapses / n_pairs <= FIELDS_BELOW and n_pairs >= FIELDS_SMALL:
                return "dense" if fields_of(numbers, shape) is None else "sparse"
        case _:
            return "dense"
    return "sparse" if n_synapses <= SPARSE_BELOW * n_pairs and n_pairs >= SMALL else "dense"
