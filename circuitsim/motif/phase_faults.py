"""Faults of one phase, in a motif that is otherwise valid."""

from __future__ import annotations

import re

import sympy

from circuitsim.motif.checks import Faults, is_number, is_whole, must
from circuitsim.motif.declarations import Declarations, memoized, population_of, projection_of
from circuitsim.motif.expressions import expressions_of
from circuitsim.motif.phase import APPLY, CYCLE, TIME, Phase
from circuitsim.motif.projection import Projection
from circuitsim.motif.wiring import Wiring, inputs_of, labels_of, sequences_of
from circuitsim.rules.vocabulary import SUMS, local

# The label, text and parsed form of one expression of a projection, and the names of currents and of sums in it.
Parsed = tuple[str, str, sympy.Expr, tuple[str, ...], tuple[str, ...]]


def phase_faults(motif: Declarations, wiring: Wiring) -> Faults:
    """Yield the unknown names of a phase, and the currents that projections read but that it does not deliver."""
    phase = wiring.phase
    table = {
        "repeat": (phase.repeat == TIME or is_whole(phase.repeat, 1), f"a whole number, 1 or more, or {TIME!r}"),
        "apply": (phase.apply in APPLY, f"one of {APPLY}"),
    }
    yield from must(f"phase {phase.name!r}: ", phase, table)
    yield from _unknown_names(motif, phase)
    owner = f"phase {phase.name!r}: " if motif.phases[0] is not CYCLE else ""
    for p in wiring.projections.values():
        if phase.changes(p.name):
            yield from (owner + fault for fault in _currents(wiring, p, _parsed(motif, p)))


def apply_faults(motif: Declarations) -> Faults:
    """Yield the projections whose changes some phases make at their end, and others at the end of the step."""
    for p in motif.projections:
        changing = [phase for phase in motif.phases if p.is_plastic and phase.changes(p.name)]
        late, early = ([f.name for f in changing if (f.apply == "step") == is_late] for is_late in (True, False))
        if late and early:
            yield (
                f"projection {p.name!r} changes in phase {early[0]!r}, and by phase {late[0]!r} at the end of the "
                "step; give both apply='step' or neither, or say with plastic=[...] what each of them changes"
            )


def time_faults(motif: Declarations) -> Faults:
    """Yield the fault of a phase over time where no input can be a sequence."""
    over_time = [phase for phase in motif.phases if phase.repeat == TIME]
    if over_time and not sequences_of(motif):
        yield (
            f"phase {over_time[0].name!r}: repeat is {TIME!r}, but no input can be a sequence: each is read by a phase "
            f"without repeat={TIME!r}, or by none; say with inputs=[...] which inputs each phase reads"
        )


def _unknown_names(motif: Declarations, phase: Phase) -> Faults:
    owner = f"phase {phase.name!r}"
    populations, projections = population_of(motif).keys(), projection_of(motif).keys()
    for field, names, known in (
        ("soma", phase.soma or (), projections),
        ("plastic", phase.plastic or (), projections | populations),
        ("inputs", phase.inputs or (), inputs_of(motif) | labels_of(motif).keys()),
        ("noise", phase.noise, populations),
    ):
        for name in names:
            if not (isinstance(name, str) and name in known):
                yield f"{owner}: {field} names unknown {name!r} (known: {', '.join(sorted(known))})"
    for kind, numbers in (("gain", phase.soma or {}), ("noise", phase.noise)):
        for name, value in numbers.items():
            if not is_number(value) or (kind == "noise" and value < 0):
                least = ", 0 or more" if kind == "noise" else ""
                yield f"{owner}: the {kind} of {name!r} must be a finite number{least} (got {value!r})"


@memoized
def _parsed(motif: Declarations, p: Projection) -> list[Parsed]:
    expressions, found = expressions_of(motif), []
    named = [("rule", p.rule.expression, expressions.rule[p.name])] if p.rule is not None else []
    named += [(f"state {s!r}", p.state[s].expression, expressions.synapse_state[p.name, s]) for s in p.state]
    for what, text, expression in named:
        names = sorted(symbol.name for symbol in expression.free_symbols)
        currents = tuple(name for name in names if name.startswith("I_"))
        found.append((what, text, expression, currents, tuple(name for name in names if name in SUMS)))
    return found


def _currents(wiring: Wiring, p: Projection, parsed: list[Parsed]) -> Faults:
    for what, text, expression, currents, sums in parsed:
        owner = f"projection {p.name!r}: {what}"
        delivered = [f"I_{name}" for name in wiring.onto(p.post)] if currents else []
        for name in currents:
            if name not in delivered:
                place = re.search(rf"\b{name}\b", text)
                yield (
                    f"{owner} names {name}, which does not reach population {p.post!r} "
                    f"(known: {', '.join(delivered) or 'none'})" + (f" at column {place.start() + 1}" if place else "")
                )
        summed = {"dendrite_post": wiring.dendrite_onto[p.post], "hetero": wiring.onto(p.post)}
        empty = [name for name in sums if not set(summed[name]) - {p.name}]
        nothing = dict.fromkeys(map(local, empty), sympy.Integer(0))
        if empty and expression.xreplace(nothing).has(sympy.zoo, sympy.nan, sympy.oo):
            yield f"{owner} divides by {' and '.join(empty)}, which is 0 because no other current reaches {p.post!r}"
