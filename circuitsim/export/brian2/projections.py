"""Currents, rules and ties: synapses per projection."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from circuitsim.export.brian2.language import Names, product, text, total
from circuitsim.export.brian2.parts import Values, Wiring
from circuitsim.export.brian2.populations import seen
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.transcript import Transcript
from circuitsim.export.brian2.updates import Update, statements
from circuitsim.plan import Plan, ProjectionPlan
from circuitsim.plan.quantities import quantity
from circuitsim.rules import SlowTerm, Sum, Term
from circuitsim.rules.vocabulary import local


def make_wiring(p: ProjectionPlan, replica: Replica) -> Wiring:
    """The present synapses, with what they remember; absent ones are never made."""
    pre, post = replica.synapses(p.name)

    def at_synapses(values: Mapping[str, Values]) -> dict[str, Values]:
        return {k: v[post, pre] if isinstance(v, np.ndarray) else v for k, v in values.items()}

    variables = at_synapses({"w": replica.weights[p.name], **replica.states[p.name]})
    return Wiring(p.name, p.pre, p.post, pre, post, variables, at_synapses(replica.parameters.get(p.name, {})))


def transcribe_current(t: Transcript, plan: Plan, p: ProjectionPlan) -> None:
    """What the projection delivers: somata see activities, dendrites traces."""
    variable = "activity" if p.target == "soma" else seen(plan.populations[p.pre])
    if p.name in t.wirings:
        t.sum(p.name, f"I_{p.name}_post", f"w*{variable}_pre")
    else:
        t.groups[p.post].declare(f"I_{p.name}")  # no synapse exists: it stays 0


def transcribe_rules(t: Transcript, plan: Plan, p: ProjectionPlan) -> None:
    """The change of the weights, and what the synapses remember."""
    updates = []
    if p.rule is not None:
        names = _names(t, plan, p, p.rule, p.binding, p.name)
        updates.append(_update(t, p, "w", p.rule, names, ["w"], p.bounds or (None, None)))
    for state, planned in p.states.items():
        names = _names(t, plan, p, planned.rule, planned.binding, f"{p.name}_{state}")
        updates.append(_update(t, p, state, planned.rule, names, []))
    if updates:
        t.link_to_batch(p.post, "share", "learns", "ends")
        for update in updates:
            t.wirings[p.name].declare(update.sum)
        t.run(p.name, *statements(updates, "_post"))


def _update(
    t: Transcript, p: ProjectionPlan, variable: str, rule: Sum, names: Names, before: list[str],
    bounds: tuple[float | None, float | None] = (None, None),
) -> Update:  # fmt: skip
    """An update by a rule in normal form; its sums over synapses are transcribed first."""
    for reduction in rule.reductions:
        summed = t.largest if reduction.kind.startswith("max") else t.sum
        summed(p.name, names[reduction.symbol], total([_sample(term, names) for term in reduction.body]))
    data = total([_sample(term, names) for term in rule.terms if term.has_data])
    rest = [_sample(term, names) for term in rule.terms if not term.has_data]
    return Update(variable, data, [*before, *rest], bounds)


def transcribe_tie(t: Transcript, p: ProjectionPlan, replica: Replica) -> None:
    """A tied weight follows its source: synapses from the source's synapses to its own, one to one."""
    assert p.derived is not None
    source, own = t.wirings[p.derived.projection], t.wirings[p.name]
    number = np.full(replica.masks[source.name].shape, -1)
    number[source.j, source.i] = np.arange(len(source.i))
    number = number.T if p.derived.transpose else number
    tie = f"{p.name}_tie"
    t.add(Wiring(tie, source.name, p.name, number[own.j, own.i], np.arange(len(own.i))))
    value = "sign(w_pre)" if p.derived.sign else "w_pre"
    t.sum(tie, "w_post", value if p.derived.scale == 1 else f"{p.derived.scale!r}*{value}")


def _names(
    t: Transcript, plan: Plan, p: ProjectionPlan, rule: Sum, binding: Mapping[sympy.Symbol, sympy.Symbol], owner: str
) -> Names:
    """What the names of a rule are called at a synapse: most as in the rule itself."""
    names = {symbol: symbol.name for symbol in binding}
    names |= {symbol: f"{symbol.name}_post" for symbol in binding if symbol.name.startswith("I_")}
    names[local("pre")] = f"{seen(plan.populations[p.pre])}_pre"
    names[local("post")] = f"{seen(plan.populations[p.post])}_post"
    for reduction in rule.reductions:
        end = "post" if reduction.kind.endswith("in") else "pre"
        names[reduction.symbol] = f"{reduction.symbol.name}_{owner}_{end}"
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
