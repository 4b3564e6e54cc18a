"""Declarations that have a meaning only where neurons spike."""

from __future__ import annotations

from collections.abc import Iterator

from circuitsim.errors import MotifError
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.expressions import expressions_of
from circuitsim.motif.motif import Motif
from circuitsim.rules.vocabulary import SPIKES, local


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
