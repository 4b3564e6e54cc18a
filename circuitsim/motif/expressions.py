"""All expressions of a motif. Each is parsed once, so the plan reads exactly what `validate` has checked.

The symbols are those of `circuitsim.rules.vocabulary.local`. `dendrite_post` and `hetero` remain symbols here,
because the currents that they sum depend on the wiring of the phase (`Wiring.sums`).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from circuitsim.errors import RuleError
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.memo import memoized
from circuitsim.motif.population import Population
from circuitsim.motif.vocabularies import (
    parse_activation,
    parse_neuron_state,
    parse_rule,
    parse_signal,
    parse_synapse_state,
    parse_trace,
)
from circuitsim.rules.vocabulary import local


@dataclass(frozen=True)
class Expressions:
    """The expressions of a motif.

    Args:
        activation, trace: keyed by population; the trace is ``activity`` where none is declared.
        neuron_state: the updates of neuron states, keyed by population and state.
        rule: keyed by projection; projections without a rule are missing.
        synapse_state: the updates of synapse states, keyed by projection and state.
        signal: keyed by signal; signals that the caller passes are missing.
    """

    activation: dict[str, sympy.Expr]
    trace: dict[str, sympy.Expr]
    neuron_state: dict[tuple[str, str], sympy.Expr]
    rule: dict[str, sympy.Expr]
    synapse_state: dict[tuple[str, str], sympy.Expr]
    signal: dict[str, sympy.Expr]


@memoized
def expressions_of(motif: Declarations) -> Expressions:
    """Return all expressions of a valid motif. They are parsed on first use, here or in `Motif.validate`.

    Example:
        >>> from circuitsim.motif.expressions import expressions_of
        >>> from motifs import sal
        >>> expressions_of(sal([4, 3, 2])).activation["up1"]
        relu(drive)
    """
    populations, projections = motif.populations, motif.projections
    return Expressions(
        {p.name: parse_activation(motif, p) for p in populations},
        {p.name: parse_trace(motif, p) for p in populations},
        {(p.name, state): parse_neuron_state(motif, p, state) for p in populations for state in p.state},
        {p.name: parse_rule(motif, p) for p in projections if p.rule is not None},
        {(p.name, state): parse_synapse_state(motif, p, state) for p in projections for state in p.state},
        {s.name: parse_signal(motif, s) for s in motif.signals if not s.is_given},
    )


def reads_drive(motif: Declarations, population: Population) -> bool:
    """Return whether the activity depends on the soma input; that of a bias unit does not."""
    try:
        return local("drive") in parse_activation(motif, population).free_symbols
    except RuleError:
        return True  # `validate` reports the faulty activation
