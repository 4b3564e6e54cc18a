"""Lower a plan to the description of a spiking network."""

from __future__ import annotations

from collections.abc import Collection

from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.blueprint import Blueprint
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.neurons import cell_of, lower_population, signal_name
from circuitsim.export.brian2.spiking.reads import Reads
from circuitsim.export.brian2.spiking.synapses import lower_projection
from circuitsim.plan import Plan


def lower(
    replica: Replica, spiking: Spiking, n_trials: int, seed: int, only: Collection[str] | None = None
) -> Blueprint:
    """Describe the network of one replica.

    Args:
        replica: weights, masks, parameters, and the plan.
        spiking: neuron models, time constants and trials.
        n_trials: the number of trials in one run.
        seed: the seed of delays.
        only: the populations to keep; by default all.
    Raises:
        CircuitError: a population or projection has no counterpart.
    """
    plan = replica.plan
    kept = [p for p in plan.populations.values() if only is None or p.name in only]
    cells = {p.name: cell_of(plan, p, spiking) for p in kept}
    reads = Reads.of(plan)
    length_ms = 0.0 if spiking.trial is None else spiking.trial.length_ms  # without trials, that of each run
    blueprint = Blueprint(plan.name, spiking, n_trials, length_ms)
    if spiking.trial is not None:
        blueprint.windows += tuple(signal_name(name) for name in plan.signals)
    for p in kept:
        lower_population(blueprint, replica, p, cells[p.name], reads)
    for q in plan.projections.values():
        if q.pre in cells and q.post in cells:
            lower_projection(blueprint, replica, q, cells, reads, seed)
    return blueprint


def needed_for_outputs(plan: Plan) -> set[str]:
    """The populations on which the outputs depend."""
    needed: set[str] = set()
    open_ends = list(plan.outputs)
    while open_ends:
        name = open_ends.pop()
        if name not in needed:
            needed.add(name)
            open_ends += [plan.projections[q].pre for q in plan.populations[name].soma]
    return needed
