"""Currents, rules and ties: synapses per projection."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from circuitsim.export.brian2.cycles import WEIGHT, Cycle
from circuitsim.export.brian2.language import Names, product, text, total
from circuitsim.export.brian2.parts import Values, Wiring
from circuitsim.export.brian2.populations import seen
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.transcript import Transcript
from circuitsim.export.brian2.updates import Update, statements
from circuitsim.motif import Projection
from circuitsim.plan import ProjectionPlan
from circuitsim.plan.quantities import quantity
from circuitsim.rules import SlowTerm, Sum, Term
from circuitsim.rules.vocabulary import local


def make_wiring(p: Projection, replica: Replica) -> Wiring:
    """The present synapses, with what they remember; absent ones are never made."""
    pre, post = replica.synapses(p.name)

    def at_synapses(values: Mapping[str, Values]) -> dict[str, Values]:
        return {k: v[post, pre] if isinstance(v, np.ndarray) else v for k, v in values.items()}

    variables = at_synapses({WEIGHT: replica.weights[p.name], **replica.states[p.name]})
    return Wiring(p.name, p.pre, p.post, pre, post, variables, at_synapses(replica.parameters.get(p.name, {})))


def transcribe_current(t: Transcript, cycle: Cycle, p: ProjectionPlan) -> None:
    """What the projection delivers: somata see activities, dendrites traces."""
    variable = "activity" if p.target == "soma" else seen(cycle.plan.populations[p.pre])
    if p.name in t.wirings:
        t.sum(p.name, f"{cycle.current(p.name)}_post", f"{cycle.weight(p.name)}*{variable}_pre")
    else:
        t.groups[p.post].declare(cycle.current(p.name))  # no synapse exists: it stays 0


def transcribe_rules(t: Transcript, replica: Replica, cycle: Cycle, p: ProjectionPlan) -> None:
    """The change of the weights, and what the synapses remember."""
    suffix, updates = cycle.suffix, []
    if p.rule is not None:
        names = _names(t, replica, cycle, p, p.rule, p.binding, p.name)
        before = [cycle.weight(p.name)]
        updates.append(_update(t, p, WEIGHT, suffix, p.rule, names, before, p.bounds or (None, None)))
    for state, planned in p.states.items():
        names = _names(t, replica, cycle, p, planned.rule, planned.binding, f"{p.name}_{state}")
        updates.append(_update(t, p, state, suffix, planned.rule, names, []))
    if updates:
        t.link_to_batch(p.post, "share", f"learns{suffix}", f"ends{suffix}")
        for update in updates:
            t.wirings[p.name].declare(update.sum)
        t.run(p.name, *statements(updates, suffix, "_post"))


def _update(
    t: Transcript, p: ProjectionPlan, variable: str, suffix: str, rule: Sum, names: Names, before: list[str],
    bounds: tuple[float | None, float | None] = (None, None),
) -> Update:  # fmt: skip
    """An update by a rule in normal form; its sums over synapses are transcribed first."""
    for reduction in rule.reductions:
        summed = t.largest if reduction.kind.startswith("max") else t.sum
        summed(p.name, names[reduction.symbol], total([_sample(term, names) for term in reduction.body]))
    data = total([_sample(term, names) for term in rule.terms if term.has_data])
    rest = [_sample(term, names) for term in rule.terms if not term.has_data]
    return Update(variable, f"{variable}_sum{suffix}", data, [*before, *rest], bounds)


def transcribe_tie(t: Transcript, p: Projection, replica: Replica) -> None:
    """A tied weight follows its source: synapses from the source's synapses to its own, one to one."""
    assert p.weight is not None
    source, own = t.wirings[p.weight.projection], t.wirings[p.name]
    number = np.full(replica.masks[source.name].shape, -1)
    number[source.j, source.i] = np.arange(len(source.i))
    number = number.T if p.weight.transpose else number
    tie = f"{p.name}_tie"
    t.add(Wiring(tie, source.name, p.name, number[own.j, own.i], np.arange(len(own.i))))
    value = "sign(w_pre)" if p.weight.sign else "w_pre"
    t.sum(tie, "w_post", value if p.weight.scale == 1 else f"{p.weight.scale!r}*{value}")


def _names(
    t: Transcript, replica: Replica, cycle: Cycle, p: ProjectionPlan, rule: Sum,
    binding: Mapping[sympy.Symbol, sympy.Symbol], owner: str,
) -> Names:  # fmt: skip
    """What the names of a rule are called at a synapse: most as in the rule itself."""
    plan, suffix = cycle.plan, cycle.suffix
    names = {symbol: symbol.name for symbol in binding}
    names |= {symbol: f"{symbol.name}{suffix}_post" for symbol in binding if symbol.name.startswith("I_")}
    names |= {local(state): state + suffix for state in replica.states[p.name]}
    for end, population in (("pre", p.pre), ("post", p.post)):
        names[local(end)] = f"{seen(plan.populations[population])}_{end}"
        names |= {local(f"{state}_{end}"): f"{state}{suffix}_{end}" for state in replica.states[population]}
    names[local("w")] = cycle.weight(p.name)
    for reduction in rule.reductions:
        end = "post" if reduction.kind.endswith("in") else "pre"
        names[reduction.symbol] = f"{reduction.symbol.name}_{owner}{suffix}_{end}"
    for signal in plan.signals:
        if binding.get(local(signal)) == quantity("signal", signal) and local(signal) in rule.symbols:
            names[local(signal)] = f"signal_{signal}_post"
            t.link_to_batch(p.post, f"signal_{signal}")
    return names


def _sample(term: Term | SlowTerm, names: Names) -> str:
    """A term for one sample."""
    if isinstance(term, SlowTerm):
        return text(term.expression, names)
    is_negative = term.coefficient.as_coeff_Mul()[0].is_negative
    coefficient = -term.coefficient if is_negative else term.coefficient
    return ("-" if is_negative else "") + product([coefficient, term.weight, term.post, term.pre], names)
