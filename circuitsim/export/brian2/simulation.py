"""Build Brian2 objects from a transcript."""

from __future__ import annotations

from typing import Any

import brian2
import numpy as np

from circuitsim.export.brian2 import objects
from circuitsim.export.brian2.schedule import Schedule
from circuitsim.export.brian2.transcript import Largest, Run, Total, Transcript

TICK = 1.0 * brian2.ms  # the duration of a sample, which is arbitrary in a rate circuit


class Simulation:
    """The Brian2 objects of a transcript, in a `Network` of their own and with the motif's names.

    All run in the slot "groups", with their position in the transcript as `order`, since Brian2 would otherwise order
    objects within a slot by name. Brian2's magic ``run()`` collects none of them.
    """

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.clock = brian2.Clock(dt=TICK, name="rate_clock")
        self.parts: dict[str, Any] = {}
        for group in transcript.groups.values():
            self.parts[group.name] = brian2.NeuronGroup(
                group.size, group.equations, name=group.name, clock=self.clock, dtype=np.float64, namespace={}
            )
        for group in transcript.groups.values():  # before any synapses are made, which read the groups
            objects.link(self.parts, group.name, group.links)
            for name, values in group.variables.items():
                setattr(self.parts[group.name], name, values)
        for wiring in transcript.wirings.values():
            self.parts[wiring.name] = objects.synapses(wiring, self.parts, clock=self.clock)
        actions = [self._action(action, order) for order, action in enumerate(transcript.actions)]
        self.network = objects.network([*self.parts.values(), *filter(None, actions)], "rate_network")

    def _action(self, action: Run | Total | Largest, order: int) -> Any:
        """The Brian2 object of an action, or None if it belongs to the synapses already."""
        place = {"when": "groups", "order": order}
        match action:
            case Run(owner=owner, code=code):
                name = f"{owner}_action_{order}"
                return self.parts[owner].run_regularly("\n".join(code), name=name, clock=self.clock, **place)
            case Total(wiring=wiring, target=target):
                updater = self.parts[wiring].summed_updaters[target]
                updater.when, updater.order = place.values()
                return None
            case Largest():
                name = f"{action.wiring}_action_{order}"
                return brian2.NetworkOperation(self._largest(action), name=name, clock=self.clock, **place)

    def _largest(self, action: Largest) -> Any:
        wiring = self.transcript.wirings[action.wiring]
        owner, variable = wiring.split(action.target)
        index = wiring.i if action.target.endswith("_pre") else wiring.j
        group = self.parts[owner]

        def take_largest() -> None:
            found = np.full(len(group), -np.inf)
            np.maximum.at(found, index, np.asarray(getattr(self.parts[wiring.name], action.variable)))
            setattr(group, variable, np.where(found == -np.inf, 0.0, found))

        return take_largest

    def run(self, schedule: Schedule, recorded: dict[str, list[str]]) -> dict[str, Any]:
        """Run a schedule.

        Args:
            schedule: inputs, targets and signals.
            recorded: the variables to record, keyed by group.
        Returns:
            A StateMonitor for each group in `recorded`. With a standalone device, read it only after the device has
            run.
        """
        monitors = {
            group: brian2.StateMonitor(
                self.parts[group], names, record=True, name=f"{group}_record", clock=self.clock, when="end", order=0
            )
            for group, names in recorded.items()
        }
        self.network.add(*monitors.values())
        arrays = {name: brian2.TimedArray(values, dt=TICK) for name, values in schedule.arrays.items()}
        namespace = {**arrays, "where": objects.where, "start": self.network.t}
        try:
            with np.errstate(all="ignore"):  # the first passes compute with quantities that are not final yet
                self.network.run(schedule.n_ticks * TICK, namespace=namespace)
        finally:
            self.network.remove(*monitors.values())
        return monitors

    def read(self, owner: str, variable: str) -> np.ndarray:
        """A copy of a variable, shape ``[neuron]`` or ``[synapse]``."""
        return np.array(getattr(self.parts[owner], variable))
