"""Build Brian2 objects from a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np
from brian2 import ms

from circuitsim.export.brian2 import objects
from circuitsim.export.brian2.spiking.blueprint import Blueprint, Neurons, Wires
from circuitsim.export.brian2.spiking.order import LATE

REPORT_MS = 500.0  # between two reports of progress, in time of the clock on the wall


class Build:
    """The Brian2 objects of a blueprint, in a `Network` of their own.

    Every object has its position in the blueprint as `order`, since Brian2 would otherwise order objects within a slot
    by name. A trial begins with the monitors of the readouts (order 0). Then `at_trial` runs, later populations first,
    so that an error is stored before the output from which it is computed is cleared.

    Args:
        b: the blueprint.
        played: the arrays of `Blueprint.played`, ``[row]`` or ``[row, neuron]``.
    """

    def __init__(self, b: Blueprint, played: Mapping[str, np.ndarray]) -> None:
        s = b.spiking
        self.b = b
        self.clock = brian2.Clock(dt=s.dt_ms * ms, name="step_clock")
        self.rules = brian2.Clock(dt=s.rule_every_ms * ms, name="rule_clock")
        self.trials = brian2.Clock(dt=b.length_ms * ms, name="trial_clock")
        self.arrays = {
            name: brian2.TimedArray(np.asarray(played[name], dtype=float), dt=row_ms * ms, name=f"played_{name}")
            for name, (row_ms, _) in b.played.items()
        }
        self.groups: dict[str, Any] = {n.name: self._neurons(n, k) for k, n in enumerate(b.neurons.values())}
        for n in b.neurons.values():
            objects.link(self.groups, n.name, n.links)
        self.synapses: dict[str, Any] = {w.name: self._wires(w, k) for k, w in enumerate(b.wires.values())}
        parts = {**self.groups, **self.synapses}
        self.operations = [
            parts[part.name].run_regularly("\n".join(part.at_trial), clock=self.trials, when="start", order=LATE - k)
            for k, part in enumerate(b.parts.values())
            if part.at_trial
        ]
        self.operations += [
            self.synapses[w.name].run_regularly(w.rule, clock=self.rules, when="end", order=k)
            for k, w in enumerate(b.wires.values())
            if w.rule
        ]
        self.reads = {
            name: brian2.StateMonitor(
                self.groups[name], "F", record=True, clock=self.trials, when="start", order=0, name=f"{name}_read"
            )
            for name in b.readouts
        }
        self.trains = {
            (n.name, s.event): brian2.EventMonitor(self.groups[n.name], s.event, name=f"{n.name}_{s.event}_train")
            for n in (b.neurons.values() if b.records_spikes else ())
            for s in n.spikes
        }
        self.records = {
            r: brian2.StateMonitor(
                parts[r.owner], r.variable, record=list(r.which), dt=r.every_ms * ms,
                when="end", order=LATE, name=r.name,
            )
            for r in b.records
        }  # fmt: skip
        members = [*self.groups.values(), *self.synapses.values(), *self.operations, *self.reads.values()]
        members += [*self.trains.values(), *self.records.values()]
        self.network = objects.network(members, "spiking_network")

    def _neurons(self, n: Neurons, order: int) -> Any:
        main = {s.event: s for s in n.spikes}.get("spike")
        others = [s for s in n.spikes if s.event != "spike"]
        options: dict[str, Any] = {}
        if main is not None:
            options = {"threshold": main.condition, "reset": n.on(main) or None}
        if n.refractory_ms:
            options["refractory"] = n.refractory_ms * ms
        group = brian2.NeuronGroup(
            n.size, "\n".join(n.equations), method=self.b.method, clock=self.clock, name=n.name, order=order,
            dtype=np.float64, namespace={}, events={s.event: s.condition for s in others}, **options,
        )  # fmt: skip
        for s in others:
            group.set_event_schedule(s.event, when="thresholds", order=order)
            if n.on(s):
                group.run_on_event(s.event, n.on(s), when="resets", order=order)
        for name, value in n.rest.items():
            if value:
                setattr(group, name, value)
        return group

    def _wires(self, w: Wires, order: int) -> Any:
        pathways = {"on_pre": w.on_spike, "on_post": {"post": w.on_post} if w.on_post else {}}
        options: dict[str, Any] = {name: code for name, code in pathways.items() if code}
        options |= {"method": "exact"} if w.decays else {}
        synapses = objects.synapses(
            w, self.groups, on_event={event: event for event in w.on_spike} | {"post": "spike"}, clock=self.clock,
            order=order, **options,
        )  # fmt: skip
        for event in w.on_spike if w.delays_ms is not None else ():
            getattr(synapses, event).delay = w.delays_ms * ms
        for k, updater in enumerate(synapses.summed_updaters.values()):
            updater.order = LATE + order + k
        return synapses

    def run(self, report: Any = None) -> None:
        """Play all trials. With a standalone device, this only records what is to be compiled."""
        duration = self.b.n_trials * self.b.length_ms * ms
        self.network.run(
            duration, namespace={**self.arrays, "where": objects.where}, report=report, report_period=REPORT_MS * ms
        )

    def outputs(self) -> dict[str, np.ndarray]:
        """The outputs ``[trial, neuron]`` of each readout, which are read when the next trial begins, or at the end."""
        found = {}
        for name, monitor in self.reads.items():
            kept = np.array(monitor.F)
            found[name] = np.column_stack([kept[:, 1:], np.array(self.groups[name].F)]).T
        return found

    def plastic(self) -> list[str]:
        """The projections whose weights change."""
        return [w.name for w in self.b.wires.values() if w.learns]

    def weights(self) -> dict[str, np.ndarray]:
        """The weights ``[synapse]`` of each projection with a rule."""
        return {name: np.array(self.synapses[name].w) for name in self.plastic()}
