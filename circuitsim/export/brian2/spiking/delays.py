"""Conduction delays: when the volleys of a trial arrive, and how much longer the first one must be remembered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from circuitsim.export.brian2.spiking.model import GRID_MS, Delay, Spiking
from circuitsim.export.brian2.spiking.reads import read_by, slopes_at_post
from circuitsim.plan import Plan, ProjectionPlan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron
from circuitsim.rules import SlowTerm, Sum, Term

NONE = Delay(0.0)
STREAMS = ("ascending", "descending")


class Delays:
    """When spikes arrive, in ms after their volley has left its source: the delays on all ways there, added up in the
    order of the sweep, without those of ways back in a cycle. The methods say what delays leave of the ascending
    volley's traces when the descending volley arrives, compared with a trial without delays.

    A trace decays by ``1 - dt / tau`` in each time step in which the descending volley waits for the ascending one, and
    is then under way itself. Rules and gates are scaled by this, so that a trial changes a weight as much as without
    delays.

    Attributes:
        at_somata: keyed by population.
        at_synapses: keyed by projection.
    """

    def __init__(self, plan: Plan, spiking: Spiking) -> None:
        self.plan, self.spiking = plan, spiking
        self.at_somata: dict[str, Delay] = {}
        self.at_synapses: dict[str, Delay] = {}
        for p in plan.populations.values():
            ways = [self.at_synapses[q] for q in p.soma if q in self.at_synapses] or [NONE]
            first = Delay(min(way.shortest for way in ways), max(way.longest for way in ways))
            self.at_somata[p.name] = first
            for q in (q for q in plan.projections.values() if q.pre == p.name):
                own = spiking.delays.get(q.name, NONE)
                self.at_synapses[q.name] = Delay(first.shortest + own.shortest, first.longest + own.longest)

    def left(self, ascending_ms: float, descending_ms: float) -> float:
        """The part that is left of a trace.

        Args:
            ascending_ms: how long the spikes of the trace are under way.
            descending_ms: how long the spikes that meet it are under way.
        """
        trial = self.spiking.course
        waited = trial.ascending_delay_ms if trial.lag_ms is None else 0.0  # a lag that is given is the user's choice
        n_steps = (waited + descending_ms - ascending_ms) / self.spiking.dt_ms
        return (1.0 - self.spiking.dt_ms / self.spiking.ascending.tau_trace_ms) ** n_steps

    def left_of_gate(self, gate: str, population: str) -> float:
        """The part that is left of the trace by which one population gates the drive of another."""
        is_remembered = [self.plan.populations[name].stream for name in (gate, population)] == [*STREAMS]
        return self.left(self.at_somata[gate].mean, self.at_somata[population].mean) if is_remembered else 1.0

    def left_of_term(self, p: ProjectionPlan, term: Term | SlowTerm, gate: str) -> tuple[float, float]:
        """The part that is left of the product of traces in a term of a rule, and of the trace of the population that
        is its `gate`."""
        streams = {q.name: q.stream for q in self.plan.populations.values()}
        of_post = streams[p.post], self.at_somata[p.post].mean
        of_pre = streams[p.pre], self.at_synapses[p.name].mean
        arrives = {at(neuron(kind, p.post), POST): of_post for kind in ("activity", "drive", "trace")}
        arrives |= {at(neuron(kind, p.pre), PRE): of_pre for kind in ("activity", "trace")}
        for q, delay in self.at_synapses.items():
            arrives[at(current(q), POST)] = streams[self.plan.projections[q].pre], delay.mean
        read = read_by(Sum((term,)), slopes_at_post(self.plan.populations[p.post]))
        times = {s: [t for symbol, (of, t) in arrives.items() if symbol in read and of == s] for s in STREAMS}
        if not times["descending"]:
            return 1.0, 1.0
        met = max(times["descending"])
        of_gate = self.left(self.at_somata[gate].mean, met) if streams[gate] == "ascending" else 1.0
        return prod(self.left(t, met) for t in times["ascending"]), of_gate


def fitted(plan: Plan, spiking: Spiking, only: Collection[str]) -> Spiking:
    """Lengthen a trial by the delays between the populations that are exported, `only`, so that what comes after a
    volley waits until all of its spikes have arrived. A lag that is given must leave the time for this."""
    if spiking.trial is None:
        return spiking
    last = dict.fromkeys(STREAMS, 0.0)
    for name, delay in Delays(plan, spiking).at_synapses.items():
        q = plan.projections[name]
        if q.pre in only and q.post in only:
            stream = plan.populations[q.pre].stream
            last[stream] = max(last[stream], delay.longest)
    dt = spiking.dt_ms
    grid = dt * np.lcm(round(GRID_MS / dt), round(spiking.rule_every_ms / dt))
    late: dict[str, Any] = {f"{stream}_delay_ms": float(grid * np.ceil(ms / grid)) for stream, ms in last.items()}
    return replace(spiking, trial=replace(spiking.trial, **late))
