"""Which names each expression of a motif may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from circuitsim.errors import RuleError
from circuitsim.motif.activation import activation_expression
from circuitsim.motif.sweep_order import gates_of
from circuitsim.rules import Axis, RuleVocabulary, parse
from circuitsim.rules.functions import ELEMENTWISE, TRACE_FUNCTIONS
from circuitsim.rules.vocabulary import local

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif
    from circuitsim.motif.population import Population
    from circuitsim.motif.projection import Projection


NEURON_NAMES = ("activity", "drive", "slope")


def rule_vocabulary(
    motif: Motif, projection: Projection, parameters: Mapping[str, Any] | None = None
) -> RuleVocabulary:
    """The names known to the projection's rule, or to the update of one of its states, with these parameters."""
    onto = [p for p in motif.projections if p.post == projection.post]
    pre, post = motif.population(projection.pre), motif.population(projection.post)
    if parameters is None:
        parameters = projection.rule.parameters if projection.rule is not None else {}
    remembered = {f"{name}_pre": Axis.PRE for name in pre.state}
    remembered |= {f"{name}_post": Axis.POST for name in post.state}
    remembered |= dict.fromkeys(projection.state, Axis.SYNAPSE)
    remembered |= {signal.name: Axis.SAMPLE for signal in motif.signals}
    return RuleVocabulary(
        projection=projection.name,
        post=projection.post,
        soma=tuple(p.name for p in onto if p.target == "soma"),
        dendrite=tuple(p.name for p in onto if p.target == "dendrite"),
        parameters={
            k: Axis.SYNAPSE if isinstance(v, np.ndarray) and v.ndim >= 2 else Axis.NONE for k, v in parameters.items()
        },
        remembered=remembered,
    )


def parse_rule(motif: Motif, projection: Projection) -> sympy.Expr:
    """The projection's rule, over the names of its vocabulary."""
    assert projection.rule is not None
    return rule_vocabulary(motif, projection, projection.rule.parameters).parse(projection.rule.expression)


def parse_synapse_state(motif: Motif, projection: Projection, name: str) -> sympy.Expr:
    """The update of a synapse's state, over the names of its projection's vocabulary."""
    state = projection.state[name]
    expression = rule_vocabulary(motif, projection, state.parameters).parse(state.update, f"state {name!r}")
    return _defined(expression, state.parameters, f"projection {projection.name!r}: state {name!r}")


def parse_neuron_state(motif: Motif, population: Population, name: str) -> sympy.Expr:
    """The update of a neuron's state: `activity`, `drive`, `slope`, its states, signals, parameters, and `mean`."""
    state, owner = population.state[name], f"population {population.name!r}: state {name!r}"
    known = (*NEURON_NAMES, *population.state, *(signal.name for signal in motif.signals))
    if clash := sorted(set(known) & set(state.parameters)):
        raise RuleError(f"{owner}: parameter {clash[0]!r} has the name of a quantity or state; rename it")
    names = {word: local(word) for word in (*known, *state.parameters)}
    return _defined(parse(state.update, names, TRACE_FUNCTIONS, owner), state.parameters, owner)


def _defined(expression: sympy.Expr, parameters: Mapping[str, Any], owner: str) -> sympy.Expr:
    """The expression, unless its parameters make it undefined, as ``theta / tau`` is where tau is 0."""
    numbers = {local(name): sympy.Float(float(value)) for name, value in parameters.items()}
    if expression.xreplace(numbers).has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        raise RuleError(f"{owner}: its update is not a finite number with {dict(parameters)}")
    return expression


def parse_activation(population: Population) -> sympy.Expr:
    """The population's activity as an expression in `drive` and the quantities of gating populations."""
    names: dict[str, sympy.Expr] = {name: local(name) for name in ("drive", *population.state)}
    for gate in gates_of(population):
        names |= {f"{kind}_{gate}": local(f"{kind}_{gate}") for kind in ("activity", "slope")}
    owner = f"population {population.name!r}: activation"
    expression = parse(activation_expression(population.activation), names, ELEMENTWISE, owner)
    if expression.diff(local("drive")).has(sympy.nan):
        raise RuleError(f"{owner}: 'drive' in an exponent has no slope here; write exp(...) instead of **")
    return expression


def parse_trace(population: Population) -> sympy.Expr:
    """The population's trace as an expression in `activity`, `drive` and `slope`; it may use `mean`."""
    names = {name: local(name) for name in (*NEURON_NAMES, *population.state)}
    text = "activity" if population.trace is None else population.trace
    return parse(text, names, TRACE_FUNCTIONS, f"population {population.name!r}: trace")
