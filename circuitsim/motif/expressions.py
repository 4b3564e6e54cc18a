"""All expressions of a motif and the names that each may use. Each is parsed once, so the plan reads exactly what
`validate` has checked.

The symbols are those of `circuitsim.rules.vocabulary.local`. `dendrite_post` and `hetero` remain symbols here,
because the currents that they sum depend on the wiring of the phase (`Wiring.sums`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from circuitsim.errors import MotifError, RuleError
from circuitsim.motif.declarations import Declarations, memoized
from circuitsim.motif.phase import CYCLE
from circuitsim.motif.population import Population, activation_expression, gates_of
from circuitsim.motif.projection import Projection
from circuitsim.motif.signal import Signal
from circuitsim.motif.state import State
from circuitsim.rules import Axis, RuleVocabulary, parse
from circuitsim.rules.functions import ACTIVATION_FUNCTIONS, ELEMENTWISE, SIGNAL_FUNCTIONS, TRACE_FUNCTIONS, mean
from circuitsim.rules.vocabulary import SPIKES, at_spikes, local

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif

NEURON_NAMES = ("activity", "drive", "slope")
SPIKE = "spike"  # 1 when the neuron itself spikes, in what is added to its states
PREVIOUS = "previous"  # a population's own activity one iteration before, in its activation


@dataclass(frozen=True)
class Expressions:
    """The expressions of a motif."""

    activation: dict[str, sympy.Expr]  # by population
    trace: dict[str, sympy.Expr]  # by population; ``activity`` where none is declared
    neuron_state: dict[tuple[str, str], sympy.Expr]  # updates by population and state
    rule: dict[str, sympy.Expr]  # by projection that has a rule
    synapse_state: dict[tuple[str, str], sympy.Expr]  # updates by projection and state
    signal: dict[str, sympy.Expr]  # by signal that the caller does not pass


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


@memoized
def _onto(motif: Declarations) -> dict[str, tuple[list[str], list[str]]]:
    """Map each population to the names of the projections declared onto its soma and onto its dendrite."""
    onto: dict[str, tuple[list[str], list[str]]] = {}
    for p in motif.projections:
        onto.setdefault(p.post, ([], []))[p.compartment != "soma"].append(p.name)
    return onto


def in_phase(phase: str) -> str:
    """Return the name that rules give to a number which is 1 in this phase and 0 in all others."""
    return f"in_{phase}"


def rule_vocabulary(
    motif: Declarations, projection: Projection, parameters: Mapping[str, Any] | None = None
) -> RuleVocabulary:
    """Return the names that the projection's rule, or the update of one of its states, may use."""
    soma, dendrite = _onto(motif).get(projection.post, ([], []))
    pre, post = motif.population(projection.pre), motif.population(projection.post)
    if parameters is None:
        parameters = projection.rule.parameters if projection.rule is not None else {}
    remembered = {f"{name}_pre": _axes(state, Axis.PRE) for name, state in pre.state.items()}
    remembered |= {f"{name}_post": _axes(state, Axis.POST) for name, state in post.state.items()}
    remembered |= {name: _axes(state, Axis.SYNAPSE) for name, state in projection.state.items()}
    remembered |= {signal.name: Axis.SAMPLE for signal in motif.signals}
    remembered |= {in_phase(phase.name): Axis.NONE for phase in motif.phases if phase is not CYCLE}
    kinds = {k: Axis.SYNAPSE if isinstance(v, np.ndarray) and v.ndim >= 2 else Axis.NONE for k, v in parameters.items()}
    return RuleVocabulary(projection.name, projection.post, tuple(soma), tuple(dendrite), kinds, remembered)


def _axes(state: State, own: Axis) -> Axis:
    return own | Axis.SAMPLE if state.per_sample or state.is_traced else own


@memoized
def parse_rule(motif: Declarations, projection: Projection) -> sympy.Expr:
    assert projection.rule is not None
    expression = rule_vocabulary(motif, projection, projection.rule.parameters).parse(projection.rule.expression)
    at_spikes(expression, list(map(local, SPIKES)), f"projection {projection.name!r}: rule")
    return expression


@memoized
def parse_synapse_state(motif: Declarations, projection: Projection, name: str) -> sympy.Expr:
    """Parse the update of a synapse's state, which may use the same names as its projection's rule."""
    state = projection.state[name]
    owner = f"projection {projection.name!r}: state {name!r}"
    expression = rule_vocabulary(motif, projection, state.parameters).parse(state.expression, f"state {name!r}")
    return _of_state(expression, state, list(map(local, SPIKES)), owner)


@memoized
def parse_neuron_state(motif: Declarations, population: Population, name: str) -> sympy.Expr:
    """Parse the update of a neuron's state, in `activity`, `drive`, `slope`, the neuron's states and signals; it may
    use `mean`, and `sum`, ... over the population."""
    state, owner = population.state[name], f"population {population.name!r}: state {name!r}"
    states = (SPIKE, *population.state) if state.is_traced else _stepped(population)
    known = (*NEURON_NAMES, *states, *(signal.name for signal in motif.signals))
    if clash := sorted(set(known) & set(state.parameters)):
        raise RuleError(f"{owner}: parameter {clash[0]!r} has the name of a quantity or state; rename it")
    names = {word: local(word) for word in (*known, *state.parameters)}
    functions = ELEMENTWISE if state.is_traced else TRACE_FUNCTIONS  # a spike has no batch to average over
    expression = parse(state.expression, names, functions, owner)
    for name in (s.name for s in motif.signals if s.is_given and state.per_sample):
        if local(name) in expression.free_symbols:
            raise RuleError(
                f"{owner}: a state per sample is part of the cycle, and cannot read the signal {name!r}, which is "
                "given after it"
            )
    return _of_state(expression, state, [local(SPIKE)], owner)


def _of_state(expression: sympy.Expr, state: State, spikes: list[sympy.Symbol], owner: str) -> sympy.Expr:
    """Return the expression of a state, unless its parameters make it undefined, like ``theta / tau`` with tau = 0, or
    the state changes at spikes and a part of it is added at none, or the reverse."""
    numbers = {local(name): sympy.Float(float(value)) for name, value in state.parameters.items()}
    if expression.xreplace(numbers).has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        raise RuleError(f"{owner}: its update is not finite with the parameters {dict(state.parameters)}")
    rest, jumps = at_spikes(expression, spikes, owner)
    if state.is_traced and rest != 0:
        raise RuleError(f"{owner}: {rest} is added at no spike; multiply it by {' or '.join(map(str, spikes))}")
    if jumps and not state.is_traced:
        raise RuleError(
            f"{owner}: an update is made at each step and reads no {min(map(str, jumps))}; use State(add=...)"
        )
    return expression


@memoized
def parse_signal(motif: Declarations, signal: Signal) -> sympy.Expr:
    """Parse the expression of a signal that the circuit computes, in quantities of populations and `mean`."""
    owner = f"signal {signal.name!r}"
    sizes = {local(f"{kind}_{p.name}"): p.size for p in motif.populations for kind in NEURON_NAMES}
    assert signal.expression is not None
    expression = parse(signal.expression, {symbol.name: symbol for symbol in sizes}, SIGNAL_FUNCTIONS, owner)
    means = expression.atoms(mean)
    outside = expression.xreplace({found: sympy.Integer(1) for found in means}).free_symbols
    if outside:
        first = min(symbol.name for symbol in outside)
        raise RuleError(f"{owner}: {first} has one value per neuron and sample; reduce it to one number with mean(...)")
    for found in means:
        (body,) = found.args
        read = sorted(body.xreplace({inner: sympy.Integer(1) for inner in body.atoms(mean)}).free_symbols, key=str)
        if len({sizes[symbol] for symbol in read}) > 1:
            listed = ", ".join(f"{symbol} of size {sizes[symbol]}" for symbol in read)
            raise RuleError(f"{owner}: mean({body}) combines populations of different sizes ({listed})")
    return expression


@memoized
def parse_activation(motif: Declarations, population: Population) -> sympy.Expr:
    """Parse the population's activation, in `drive`, its states, and quantities of gating populations."""
    names: dict[str, sympy.Expr] = {name: local(name) for name in ("drive", PREVIOUS, *_stepped(population))}
    gated = {name: local(name) for gate in gates_of(population) for name in (f"activity_{gate}", f"slope_{gate}")}
    owner = f"population {population.name!r}: activation"
    if clash := sorted(gated.keys() & names.keys()):
        raise RuleError(f"{owner}: state {clash[0]!r} has the name of a quantity of a gating population; rename it")
    expression = parse(activation_expression(population.activation), names | gated, ACTIVATION_FUNCTIONS, owner)
    if expression.diff(local("drive")).has(sympy.nan):
        raise RuleError(f"{owner}: 'drive' in an exponent has no slope here; write exp(...) instead of **")
    return expression


@memoized
def parse_trace(motif: Declarations, population: Population) -> sympy.Expr:
    """Parse the population's trace, in `activity`, `drive`, `slope` and its states; it may use `mean`, `sum`, ..."""
    names = {name: local(name) for name in (*NEURON_NAMES, *_stepped(population))}
    text = "activity" if population.trace is None else population.trace
    return parse(text, names, TRACE_FUNCTIONS, f"population {population.name!r}: trace")


def _stepped(population: Population) -> list[str]:
    """Return the states that are updated at each step, which activation and trace may read."""
    return [name for name, state in population.state.items() if not state.is_traced]


# -- what has a meaning only where neurons spike


def refuse_spikes(motif: Declarations) -> None:
    """Refuse a valid motif in which rules read spikes or states change at them, which a rate circuit does not have."""
    export = "a rate circuit has no spikes; export the motif with cs.export_brian2(motif, mode='spiking')"
    faults = [f"{what}, but {export}" for what in _of_spikes(motif)]
    if faults:
        raise MotifError(faults)


def _of_spikes(motif: Declarations) -> Iterator[str]:
    owners = [(f"population {p.name!r}", p.state) for p in motif.populations]
    owners += [(f"projection {p.name!r}", p.state) for p in motif.projections]
    for owner, states in owners:
        for name in (name for name, state in states.items() if state.is_traced):
            yield f"{owner}: state {name!r} changes at spikes"
    for name, expression in expressions_of(motif).rule.items():
        for spike in sorted(expression.free_symbols.intersection(map(local, SPIKES)), key=str):
            yield f"projection {name!r}: rule reads {spike}"


def has_spikes(motif: Declarations) -> bool:
    """Return whether rules or states of a valid motif depend on spikes."""
    return any(_of_spikes(motif))


def without_spikes(motif: Motif) -> Motif:
    """Return a valid motif itself if nothing in it depends on spikes; else what a circuit of rates can compute of it:
    the same populations and synapses, without rules."""
    if not has_spikes(motif):
        return motif
    for p in motif.populations:
        motif = motif.replace(p, state={k: state for k, state in p.state.items() if not state.is_traced})
    for q in motif.projections:
        motif = motif.replace(q, rule=None, state={}, rewiring=None)
    return motif
