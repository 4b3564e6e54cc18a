"""From a sound motif to its plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import sympy

from circuitsim.motif.connectivity import OneToOne, ReciprocalOf
from circuitsim.motif.motif import Motif
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.motif.roles import is_error, is_input
from circuitsim.motif.sweep_order import gates_of, sweep_order
from circuitsim.motif.vocabularies import parse_activation, parse_trace, rule_vocabulary
from circuitsim.plan.plan import Change, Moment, Plan, PopulationPlan, ProjectionPlan
from circuitsim.plan.quantities import of_rule, quantity
from circuitsim.rules import Sum, Term, factor
from circuitsim.rules.vocabulary import local


def build_plan(motif: Motif, frozen: Collection[str] = ()) -> Plan:
    """Work out what a step does.

    Args:
        motif: sound (`Motif.validate`).
        frozen: names of projections that are not to change, beside those declared so.
    """
    populations = {name: _population(motif, motif.population(name)) for name in sweep_order(motif)}
    projections: dict[str, ProjectionPlan] = {}
    moments: list[Moment] = []
    for p in motif.projections:
        projections[p.name] = _projection(motif, p, populations, moments, plastic=p.name not in frozen)
    read = set().union(*({q.binding[s] for s in q.rule.symbols} for q in projections.values() if q.rule is not None))
    read |= {symbol for p in populations.values() for symbol in p.activity.free_symbols}
    for name, planned in projections.items():
        projections[name] = dataclasses.replace(planned, current_read=quantity("I", name) in read)
    populations = {name: _needs(p, read) for name, p in populations.items()}
    return Plan(motif.name, populations, projections, motif.objectives, tuple(moments))


def _population(motif: Motif, p: Population) -> PopulationPlan:
    drive = quantity("drive", p.name)
    names = {local("drive"): drive}
    for gate in gates_of(p):
        names |= {local(f"{kind}_{gate}"): quantity(kind, gate) for kind in ("activity", "slope")}
    activity = parse_activation(p).xreplace(names)
    slope = activity.diff(drive)
    if not (activity.is_Symbol or activity.is_Number):
        slope = slope.xreplace({activity: quantity("activity", p.name)})  # tanh' = 1 - tanh**2 is at hand
    own: dict[sympy.Symbol, sympy.Expr] = {
        local(kind): quantity(kind, p.name) for kind in ("activity", "drive", "slope")
    }
    soma = tuple(q.name for q in motif.projections if q.post == p.name and q.target == "soma")
    source = "input" if is_input(motif, p) else "error" if is_error(motif, p) else "soma" if soma else "nothing"
    if source == "nothing":
        own[local("drive")] = sympy.Integer(0)
    return PopulationPlan(p.name, p.size, p.stream, source, soma, activity, slope, parse_trace(p).xreplace(own))


def _needs(p: PopulationPlan, read: set[sympy.Symbol]) -> PopulationPlan:
    """Mark what has to be computed for others: a declared trace, a slope."""
    computes_trace = p.trace != quantity("activity", p.name)
    slope = quantity("slope", p.name)
    computes_slope = slope in read or (computes_trace and slope in p.trace.free_symbols)
    return dataclasses.replace(p, computes_slope=computes_slope, computes_trace=computes_trace)


def _projection(
    motif: Motif, p: Projection, populations: dict[str, PopulationPlan], moments: list[Moment], plastic: bool
) -> ProjectionPlan:
    post, pre = populations[p.post], populations[p.pre]
    planned = ProjectionPlan(
        p.name, p.pre, p.post, p.target, (post.size, pre.size), _layout(motif, p),
        plastic=False, rule=None, binding={}, changes=(), bounds=p.bounds, derived=p.weight, current_read=False,
    )  # fmt: skip
    if not (plastic and p.is_plastic):
        return planned
    rule, binding = _rule(motif, p, post, pre)
    changes = tuple(_change(term, binding, planned, moments) for term in rule.terms if isinstance(term, Term))
    return dataclasses.replace(planned, plastic=True, rule=rule, binding=binding, changes=changes)


def _rule(
    motif: Motif, p: Projection, post: PopulationPlan, pre: PopulationPlan
) -> tuple[Sum, dict[sympy.Symbol, sympy.Symbol]]:
    """The rule in normal form, and what its names stand for. A slope that is constant is put in at once."""
    assert p.rule is not None
    vocabulary = rule_vocabulary(motif, p)
    known: dict[sympy.Symbol, sympy.Expr] = {}
    if post.slope.is_Number:
        known[local("slope_post")] = post.slope
    if post.source == "nothing":
        known[local("drive_post")] = sympy.Integer(0)
    rule = factor(vocabulary.parse(p.rule.expression).xreplace(known), vocabulary.axes)
    binding = {
        local("pre"): _seen(pre),
        local("post"): _seen(post),
        local("drive_post"): quantity("drive", p.post),
        local("slope_post"): quantity("slope", p.post),
        local("w"): quantity("w", p.name),
    }
    binding |= {local(f"I_{q}"): quantity("I", q) for q in vocabulary.soma + vocabulary.dendrite}
    binding |= {local(name): of_rule(p.name, name) for name in vocabulary.parameters}
    binding |= {r.symbol: of_rule(p.name, r.symbol.name) for r in rule.reductions}
    return rule, binding


def _seen(p: PopulationPlan) -> sympy.Symbol:
    """What rules and dendrites see of a population."""
    plain = p.trace == quantity("activity", p.name)
    return quantity("activity" if plain else "trace", p.name)


def _change(term: Term, binding: dict[sympy.Symbol, sympy.Symbol], p: ProjectionPlan, moments: list[Moment]) -> Change:
    """Resolve the term's moment: one that is there already, perhaps transposed, is used again."""
    coefficient = term.coefficient.xreplace(binding)
    if not term.has_data:
        return Change(coefficient, term.weight, None)
    moment = Moment(term.post.xreplace(binding), term.pre.xreplace(binding), p.layout, p.shape)
    if moment in moments:
        return Change(coefficient, term.weight, moments.index(moment))
    if moment.transposed() in moments:
        return Change(coefficient, term.weight, moments.index(moment.transposed()), transposed=True)
    moments.append(moment)
    return Change(coefficient, term.weight, len(moments) - 1)


def _layout(motif: Motif, p: Projection) -> str:
    """One-to-one projections need one number a neuron, all others an array ``[post, pre]``."""
    if p.weight is not None:
        return _layout(motif, motif.projection(p.weight.projection))
    if isinstance(p.connectivity, ReciprocalOf):
        return _layout(motif, motif.projection(p.connectivity.projection))
    return "one_to_one" if isinstance(p.connectivity, OneToOne) else "dense"
