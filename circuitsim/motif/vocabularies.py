"""Which names each expression of a motif may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def rule_vocabulary(motif: Motif, projection: Projection) -> RuleVocabulary:
    """The names known to the projection's rule."""
    onto = [p for p in motif.projections if p.post == projection.post]
    parameters = projection.rule.parameters if projection.rule is not None else {}
    return RuleVocabulary(
        projection=projection.name,
        post=projection.post,
        soma=tuple(p.name for p in onto if p.target == "soma"),
        dendrite=tuple(p.name for p in onto if p.target == "dendrite"),
        parameters={
            k: Axis.SYNAPSE if isinstance(v, np.ndarray) and v.ndim >= 2 else Axis.NONE for k, v in parameters.items()
        },
    )


def parse_activation(population: Population) -> sympy.Expr:
    """The population's activity as an expression in `drive` and the quantities of gating populations."""
    names = {"drive": local("drive")}
    for gate in gates_of(population):
        names |= {f"{kind}_{gate}": local(f"{kind}_{gate}") for kind in ("activity", "slope")}
    owner = f"population {population.name!r}: activation"
    expression = parse(activation_expression(population.activation), names, ELEMENTWISE, owner)
    if expression.diff(local("drive")).has(sympy.nan):
        raise RuleError(f"{owner}: 'drive' in an exponent has no slope here; write exp(...) instead of **")
    return expression


def parse_trace(population: Population) -> sympy.Expr:
    """The population's trace as an expression in `activity`, `drive` and `slope`; it may use `mean`."""
    names = {name: local(name) for name in ("activity", "drive", "slope")}
    text = "activity" if population.trace is None else population.trace
    return parse(text, names, TRACE_FUNCTIONS, f"population {population.name!r}: trace")
