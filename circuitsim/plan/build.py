"""From a sound motif to its plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import sympy

from circuitsim.errors import MotifError, RuleError
from circuitsim.motif.connectivity import Edges, OneToOne, Random, ReciprocalOf
from circuitsim.motif.motif import Motif
from circuitsim.motif.phase import Phase, in_phase
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.motif.roles import is_error, is_input, reads_drive
from circuitsim.motif.sweep_order import gates_of, sweep_order
from circuitsim.motif.vocabularies import (
    parse_activation,
    parse_neuron_state,
    parse_rule,
    parse_synapse_state,
    parse_trace,
    rule_vocabulary,
)
from circuitsim.plan.plan import Change, Moment, Plan, PopulationPlan, ProjectionPlan, StatePlan
from circuitsim.plan.quantities import of_rule, quantity
from circuitsim.plan.reads import read_by
from circuitsim.rules import Sum, Term, factor
from circuitsim.rules.vocabulary import local

# Density up to which synapses are listed rather than kept in an array. On two cores an array's product takes 0.02 ns a
# pair and sample, a list's 0.12 ns a synapse and sample (docs/performance.md).
SPARSE_BELOW = 0.05
SMALL = 1000  # pairs: below it an array costs less than the overhead of a list


def build_plan(motif: Motif, frozen: Collection[str] = ()) -> Plan:
    """The plan of the first phase, which is the only one unless phases are declared; see `build_plans`.

    Args:
        motif, frozen: as in `build_plans`.
    Returns:
        The plan; print it to read it.
    Raises:
        MotifError: as in `build_plans`.
    Example:
        >>> from circuitsim.plan import build_plan
        >>> from motifs import sal
        >>> list(build_plan(sal([4, 3, 2])).populations)
        ['up0', 'up1', 'up2', 'down2', 'down1']
    """
    return build_plans(motif, frozen)[0]


def build_plans(motif: Motif, frozen: Collection[str] = ()) -> tuple[Plan, ...]:
    """Work out what a step does, a plan for each phase.

    Args:
        motif: sound (`Motif.validate`).
        frozen: names of projections that are not to change, beside those declared so.
    Returns:
        The plans, in the order of the phases.
    Raises:
        MotifError: a rule divides by zero, which shows only once it is multiplied out.
    Example:
        >>> from circuitsim.plan import build_plans
        >>> from motifs import weight_mirror
        >>> [[p.name for p in plan.plastic()] for plan in build_plans(weight_mirror([4, 3, 2]))]
        [['W0', 'W1'], ['Wt1']]
    """
    plans = [_phase_plan(motif, phase, frozen) for phase in motif.phases]
    read = set().union(*(read_by(plan) for plan in plans))  # a later phase may read what an earlier one computes
    return tuple(_with_needs(plan, read) for plan in plans)


def _phase_plan(motif: Motif, phase: Phase, frozen: Collection[str]) -> Plan:
    view = in_phase(motif, phase)
    populations = {}
    for name in sweep_order(view, phase.errors):
        populations[name] = _population(motif, view, phase, motif.population(name))
    moments: list[Moment] = []
    projections = {}
    for p in view.projections:
        plastic = p.name not in frozen and phase.changes(p.name)
        planned = _projection(view, p, layout_of(motif, p), populations, moments, plastic)
        projections[p.name] = dataclasses.replace(planned, gain=phase.gain(p.name) if p.target == "soma" else 1.0)
    objectives = motif.objectives if phase.errors else ()
    name = motif.name if len(motif.phases) == 1 else f"{motif.name}: {phase.name}"
    return Plan(name, populations, projections, objectives, tuple(moments), tuple(s.name for s in motif.signals))


def _with_needs(plan: Plan, read: set[sympy.Symbol]) -> Plan:
    projections = {
        name: dataclasses.replace(p, current_read=quantity("I", name) in read) for name, p in plan.projections.items()
    }
    populations = {name: _needs(p, read) for name, p in plan.populations.items()}
    return dataclasses.replace(plan, populations=populations, projections=projections)


def _population(motif: Motif, view: Motif, phase: Phase, p: Population) -> PopulationPlan:
    drive = quantity("drive", p.name)
    remembered = {local(name): of_rule(p.name, name) for name in p.state}
    names = {local("drive"): drive, **remembered}
    for gate in gates_of(p):
        names |= {local(f"{kind}_{gate}"): quantity(kind, gate) for kind in ("activity", "slope")}
    activity = parse_activation(p).xreplace(names)
    slope = activity.diff(drive)
    if not (activity.is_Symbol or activity.is_Number):
        slope = slope.xreplace({activity: quantity("activity", p.name)})  # tanh' = 1 - tanh**2 is at hand
    own: dict[sympy.Symbol, sympy.Expr] = {
        local(kind): quantity(kind, p.name) for kind in ("activity", "drive", "slope")
    }
    own |= remembered | {local(signal.name): quantity("signal", signal.name) for signal in motif.signals}
    soma = tuple(q.name for q in view.projections if q.post == p.name and q.target == "soma")
    source = _source(motif, phase, p, bool(soma))
    if source == "nothing":
        own[local("drive")] = sympy.Integer(0)
        activity, slope = activity.xreplace({drive: sympy.Integer(0)}), slope.xreplace({drive: sympy.Integer(0)})
    return PopulationPlan(
        p.name, p.size, p.stream, source, soma, activity, slope, parse_trace(p).xreplace(own),
        noise=float(phase.noise.get(p.name, 0.0)),
        states=_neuron_states(motif, p, own) if phase.changes(p.name) and source != "kept" else {},
    )  # fmt: skip


def _source(motif: Motif, phase: Phase, p: Population, has_soma: bool) -> str:
    if is_input(motif, p):
        return "input" if phase.inputs is None or p.name in phase.inputs else "kept"
    if phase.errors and is_error(motif, p):
        return "error"
    if has_soma:
        return "soma"
    return "nothing" if p.name in phase.noise or not reads_drive(p) else "kept"


def _neuron_states(motif: Motif, p: Population, own: dict[sympy.Symbol, sympy.Expr]) -> dict[str, sympy.Expr]:
    return {
        name: parse_neuron_state(motif, p, name).xreplace(own | _numbers(state.parameters))
        for name, state in p.state.items()
    }


def _numbers(parameters: Mapping[str, Any]) -> dict[sympy.Symbol, sympy.Expr]:
    return {local(name): sympy.Float(float(value)) for name, value in parameters.items()}


def _needs(p: PopulationPlan, read: set[sympy.Symbol]) -> PopulationPlan:
    """Mark what has to be computed for others: a declared trace, a slope."""
    computes_trace = p.trace != quantity("activity", p.name)
    slope = quantity("slope", p.name)
    computes_slope = slope in read or (computes_trace and slope in p.trace.free_symbols)
    return dataclasses.replace(p, computes_slope=computes_slope, computes_trace=computes_trace)


def _projection(
    motif: Motif,
    p: Projection,
    layout: str,
    populations: dict[str, PopulationPlan],
    moments: list[Moment],
    plastic: bool,
) -> ProjectionPlan:
    post, pre = populations[p.post], populations[p.pre]
    planned = ProjectionPlan(
        p.name, p.pre, p.post, p.target, (post.size, pre.size), layout,
        plastic=False, rule=None, binding={}, changes=(), bounds=p.bounds, derived=p.weight, current_read=False,
        synapses=_synapses_of(p),
    )  # fmt: skip
    if not plastic:
        return planned
    known: dict[sympy.Symbol, sympy.Expr] = {}
    if post.slope.is_Number and not post.noise:
        known[local("slope_post")] = post.slope
    if post.source == "nothing":
        known[local("drive_post")] = sympy.Integer(0)
    states = {}
    for name, state in p.state.items():
        update = parse_synapse_state(motif, p, name).xreplace(known | _numbers(state.parameters))
        states[name] = StatePlan(*_resolved(motif, p, update, post, pre, planned, moments, f"{name}."))
    planned = dataclasses.replace(planned, states=states)
    if not p.is_plastic:
        return planned
    rule, binding, changes = _resolved(motif, p, parse_rule(motif, p).xreplace(known), post, pre, planned, moments)
    return dataclasses.replace(planned, plastic=True, rule=rule, binding=binding, changes=changes)


def _resolved(
    motif: Motif,
    p: Projection,
    expression: sympy.Expr,
    post: PopulationPlan,
    pre: PopulationPlan,
    planned: ProjectionPlan,
    moments: list[Moment],
    prefix: str = "",
) -> tuple[Sum, dict[sympy.Symbol, sympy.Symbol], tuple[Change, ...]]:
    """An expression in normal form, what its names stand for, and its fast terms with their moments.

    `prefix` keeps the sums over synapses of a state's update apart from those of the rule. Raises MotifError where the
    expression divides by zero, which shows once it is multiplied out.
    """
    vocabulary = rule_vocabulary(motif, p)
    try:
        rule = factor(expression, vocabulary.axes)
    except RuleError as error:
        what = f"state {prefix.removesuffix('.')!r}" if prefix else "rule"
        raise MotifError(f"projection {p.name!r}: {what} {error}") from None
    binding = {
        local("pre"): _seen(pre),
        local("post"): _seen(post),
        local("drive_post"): quantity("drive", p.post),
        local("slope_post"): quantity("slope", p.post),
        local("w"): quantity("w", p.name),
    }
    binding |= {local(f"I_{q}"): quantity("I", q) for q in vocabulary.soma + vocabulary.dendrite}
    binding |= {local(name): of_rule(p.name, name) for name in (*vocabulary.parameters, *p.state)}
    binding |= {local(f"{name}_pre"): of_rule(p.pre, name) for name in motif.population(p.pre).state}
    binding |= {local(f"{name}_post"): of_rule(p.post, name) for name in motif.population(p.post).state}
    binding |= {local(signal.name): quantity("signal", signal.name) for signal in motif.signals}
    binding |= {r.symbol: of_rule(p.name, prefix + r.symbol.name) for r in rule.reductions}
    changes = tuple(_change(term, binding, planned, moments) for term in rule.terms if isinstance(term, Term))
    return rule, binding, changes


def _seen(p: PopulationPlan) -> sympy.Symbol:
    """What rules and dendrites see of a population."""
    plain = p.trace == quantity("activity", p.name)
    return quantity("activity" if plain else "trace", p.name)


def _change(term: Term, binding: dict[sympy.Symbol, sympy.Symbol], p: ProjectionPlan, moments: list[Moment]) -> Change:
    """Resolve the term's moment: one that is there already, perhaps transposed, is used again."""
    coefficient = term.coefficient.xreplace(binding)
    if not term.has_data:
        return Change(coefficient, term.weight, None)
    listed = p.synapses if p.layout == "sparse" else None
    moment = Moment(term.post.xreplace(binding), term.pre.xreplace(binding), p.layout, p.shape, listed)
    if moment in moments:
        return Change(coefficient, term.weight, moments.index(moment))
    if moment.transposed() in moments:
        return Change(coefficient, term.weight, moments.index(moment.transposed()), transposed=True)
    moments.append(moment)
    return Change(coefficient, term.weight, len(moments) - 1)


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
    if p.weight is not None:
        return layout_of(motif, motif.projection(p.weight.projection))
    n_pairs = motif.population(p.post).size * motif.population(p.pre).size
    match p.connectivity:
        case ReciprocalOf(projection=name):
            return layout_of(motif, motif.projection(name))
        case OneToOne():
            return "one_to_one"
        case Random(probability=probability):
            n_synapses = probability * n_pairs
        case Edges(post=post):
            n_synapses = len(post)
        case _:
            return "dense"
    return "sparse" if n_synapses <= SPARSE_BELOW * n_pairs and n_pairs >= SMALL else "dense"


def _synapses_of(p: Projection) -> tuple[str, bool]:
    """Whose connectivity it has, and whether seen from the other side."""
    if isinstance(p.connectivity, ReciprocalOf):
        return p.connectivity.projection, True
    return p.name, False
