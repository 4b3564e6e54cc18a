"""All expressions of a motif. Each is parsed once, so the plan reads exactly what `validate` has checked.

The symbols are those of `circuitsim.rules.vocabulary.local`. `dendrite_post` and `hetero` remain symbols here,
because the currents that they sum depend on the wiring of the phase (`Wiring.sums`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy

from circuitsim.errors import RuleError
from circuitsim.motif.memo import memoized
from circuitsim.motif.vocabularies import (
    parse_activation,
    parse_neuron_state,
    parse_rule,
    parse_signal,
    parse_synapse_state,
    parse_trace,
)
from circuitsim.rules.vocabulary import local

if TYPE_CHECKING:
    from circuitsim.motif.declarations import Declarations
    from circuitsim.motif.population import Population
    from circuitsim.motif.projection import Projection
    from circuitsim.motif.signal import Signal


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
    """Return all expressions of a motif. They are parsed on first use, here or in `Motif.validate`.

    Args:
        motif: a valid motif (see `Motif.validate`).
    Returns:
        The expressions; repeated calls return the same object until something is added to the motif.
    Raises:
        RuleError: an expression cannot be parsed (`Motif.validate` reports all such expressions at once).
        MotifError: a projection names an unknown population.
    Example:
        >>> from circuitsim.motif.expressions import expressions_of
        >>> from motifs import sal
        >>> expressions_of(sal([4, 3, 2])).activation["up1"]
        relu(drive)
    """
    populations, projections = motif.populations, motif.projections
    return Expressions(
        {p.name: activation_of(motif, p) for p in populations},
        {p.name: trace_of(motif, p) for p in populations},
        {(p.name, state): neuron_state_of(motif, p, state) for p in populations for state in p.state},
        {p.name: rule_of(motif, p) for p in projections if p.rule is not None},
        {(p.name, state): synapse_state_of(motif, p, state) for p in projections for state in p.state},
        {s.name: signal_of(motif, s) for s in motif.signals if not s.is_given},
    )


def activation_of(motif: Declarations, population: Population) -> sympy.Expr:
    """Return one entry of `Expressions.activation`; other expressions of the motif may be invalid. Raises RuleError."""
    return _parsed(motif, population, "activation", lambda: parse_activation(population))


def trace_of(motif: Declarations, population: Population) -> sympy.Expr:
    """Return one entry of `Expressions.trace`, in the manner of `activation_of`."""
    return _parsed(motif, population, "trace", lambda: parse_trace(population))


def neuron_state_of(motif: Declarations, population: Population, state: str) -> sympy.Expr:
    """Return one entry of `Expressions.neuron_state`, in the manner of `activation_of`."""
    return _parsed(motif, population, f"state {state}", lambda: parse_neuron_state(motif, population, state))


def rule_of(motif: Declarations, projection: Projection) -> sympy.Expr:
    """Return one entry of `Expressions.rule`, in the manner of `activation_of`."""
    return _parsed(motif, projection, "rule", lambda: parse_rule(motif, projection))


def synapse_state_of(motif: Declarations, projection: Projection, state: str) -> sympy.Expr:
    """Return one entry of `Expressions.synapse_state`, in the manner of `activation_of`."""
    return _parsed(motif, projection, f"state {state}", lambda: parse_synapse_state(motif, projection, state))


def signal_of(motif: Declarations, signal: Signal) -> sympy.Expr:
    """Return one entry of `Expressions.signal`, in the manner of `activation_of`."""
    return _parsed(motif, signal, "signal", lambda: parse_signal(motif, signal))


def reads_drive(motif: Declarations, population: Population) -> bool:
    """Return whether the activity depends on the soma input; that of a bias unit does not."""
    try:
        return local("drive") in activation_of(motif, population).free_symbols
    except RuleError:
        return True  # `validate` reports the faulty activation


@memoized
def _cache(motif: Declarations) -> dict[tuple[int, str], tuple[Any, sympy.Expr | RuleError]]:
    """Cache parsed expressions and parse errors, keyed by owner because two owners may wrongly share a name."""
    return {}


def _parsed(motif: Declarations, owner: Any, what: str, parser: Callable[[], sympy.Expr]) -> sympy.Expr:
    cache, key = _cache(motif), (id(owner), what)
    if key not in cache:
        try:
            cache[key] = owner, parser()  # keeps the owner alive, so that its id stays unique
        except RuleError as error:
            cache[key] = owner, error
    _, found = cache[key]
    if isinstance(found, RuleError):
        raise found.with_traceback(None)
    return found
