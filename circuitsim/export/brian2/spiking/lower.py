"""Lower a plan to the description of a spiking network."""

from __future__ import annotations

from collections.abc import Collection

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.lowering import Lowering
from circuitsim.export.brian2.spiking.model import GRID_MS, Spiking
from circuitsim.export.brian2.spiking.neurons import cell_of, lower_population
from circuitsim.export.brian2.spiking.synapses import lower_projection
from circuitsim.plan import Plan


def lower(replica: Replica, spiking: Spiking, n_trials: int = 1, only: Collection[str] | None = None) -> Blueprint:
    """Describe the network of one replica, for runs of `n_trials`, with all populations or `only` some."""
    plan = replica.plan
    kept = [p for p in plan.populations.values() if only is None or p.name in only]
    cells = {p.name: cell_of(plan, p, spiking) for p in kept}
    trial = spiking.trial
    length_ms = 0.0 if trial is None else trial.length_ms  # without trials, that of each run
    # Euler's method keeps the mean of every current exact; in a network without trials, decays are exact instead
    method = "exponential_euler" if trial is None else "euler"
    b = Blueprint(plan.name, spiking.dt_ms, length_ms, n_trials, method)
    if trial is not None:
        b.plays = {f"{kind}_{p.name}": (length_ms, "") for p in kept for kind in ("input", "target")}
        b.plays["learns"] = length_ms, "whether weights change in a trial"
        b.plays["eta_scale"] = length_ms, "the factor of every eta"
        b.plays["reads"] = GRID_MS, "1 while outputs are integrated, else 0"
        b.plays["ascends"] = GRID_MS, "1 during an ascending volley"
        b.plays["descends"] = GRID_MS, "1 during the descending volley"
        b.plays |= {f"signal_{name}": (GRID_MS, "") for name in plan.signals}
    at_trial: dict[str, list[str]] = {}
    c = Lowering(b, spiking, replica, cells)
    for p in kept:
        at_trial[p.name] = lower_population(c, p)
    for q in plan.projections.values():
        if q.pre in cells and q.post in cells:
            at_trial[q.name] = lower_projection(c, q)
    for name in reversed(at_trial):  # so that an error is stored before the output that it is computed from is cleared
        b.run(name, *at_trial[name], every_ms=length_ms, when="start")
    return b


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
