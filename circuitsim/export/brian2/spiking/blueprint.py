"""A spiking network in words: neurons, synapses, what is played to them. Pure data, no brian2.

Two readers turn it into the same network: `build` into Brian2 objects, `script` into a Python file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.spiking.cells import Spike
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.trial import GRID_MS


@dataclass
class Neurons:
    """A NeuronGroup.

    Args:
        name, size: of the group.
        equations: of the membrane, currents and traces; a line each.
        spikes: what it emits; `code` of an event follows its reset.
        traces: statements that each kind of spike runs, by event.
        refractory_ms: 0 for none.
        rest: variables that are not 0 at rest.
        links: own name -> (group, variable).
        at_trial: statements at the begin of each trial.
        signed: whether its spikes tell both signs.
    """

    name: str
    size: int
    equations: list[str]
    spikes: tuple[Spike, ...] = ()
    traces: dict[str, str] = field(default_factory=dict)
    refractory_ms: float = 0.0
    rest: dict[str, float] = field(default_factory=dict)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    at_trial: list[str] = field(default_factory=list)
    signed: bool = True

    def on(self, spike: Spike) -> str:
        """What a spike does to the neuron: its trace first, which may read the sign of the membrane."""
        return "; ".join(filter(None, (self.traces.get(spike.event, ""), spike.reset)))


@dataclass
class Wires:
    """Synapses.

    Args:
        name, pre, post: of the synapses and of the groups at their ends.
        i, j: indices of presynaptic and postsynaptic neurons, shape ``[synapse]``.
        weights: starting weights, ``[synapse]``; None for synapses without one.
        parameters: of the rule: one number, or one per synapse.
        on_spike: what a presynaptic event does to the postsynaptic neuron.
        delays_ms: ``[synapse]``, or None.
        sums: variable of one end, such as ``sum_in_0_V1_post`` -> what is summed into it before each plasticity step.
        rule: the plasticity step, or "".
    """

    name: str
    pre: str
    post: str
    i: np.ndarray
    j: np.ndarray
    weights: np.ndarray | None
    parameters: dict[str, Any] = field(default_factory=dict)
    on_spike: dict[str, str] = field(default_factory=dict)
    delays_ms: np.ndarray | None = None
    sums: dict[str, str] = field(default_factory=dict)
    rule: str = ""

    @property
    def equations(self) -> str:
        """What the Synapses are made with."""
        lines = ["w : 1"] if self.weights is not None else []
        lines += [f"{k} : 1 ({'shared, ' if np.ndim(v) == 0 else ''}constant)" for k, v in self.parameters.items()]
        return "\n".join(lines + [f"{target} = {e} : 1 (summed)" for target, e in self.sums.items()])


@dataclass
class Blueprint:
    """A network for a number of trials.

    Args:
        name: of the motif.
        spiking: time constants and steps.
        n_trials: how many trials one run plays.
        neurons, wires: in the order in which they are updated.
        readouts: names of the graded populations.
        widths: name of an array of trials -> neurons in a row, 0 for one number each.
    """

    name: str
    spiking: Spiking
    n_trials: int
    neurons: dict[str, Neurons] = field(default_factory=dict)
    wires: dict[str, Wires] = field(default_factory=dict)
    readouts: list[str] = field(default_factory=list)
    widths: dict[str, int] = field(default_factory=dict)

    def add(self, part: Neurons | Wires) -> None:
        """A group or synapses.

        Raises:
            CircuitError: the name is taken, or not one that Brian2 can write.
        """
        if part.name in {**self.neurons, **self.wires}:
            raise CircuitError(f"two Brian2 objects would be called {part.name!r}; rename the population or projection")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", part.name):
            raise CircuitError(f"{part.name!r}: Brian2 takes names of ASCII letters, digits and _ alone; rename it")
        if isinstance(part, Neurons):
            self.neurons[part.name] = part
        else:
            self.wires[part.name] = part

    @property
    def played(self) -> dict[str, tuple[float, tuple[int, ...]]]:
        """The arrays that the network reads: name -> (ms of a row, shape); what no equation mentions is left out."""
        length = self.spiking.trial.length_ms
        per_ms: tuple[int, ...] = (self.n_trials * round(length / GRID_MS),)
        found = dict.fromkeys(("reads", "ascends", "descends"), (GRID_MS, per_ms))
        found |= {name: (length, (self.n_trials, n) if n else (self.n_trials,)) for name, n in self.widths.items()}
        used = set(re.findall(r"\b(\w+)\(t\b", self._code()))
        return {name: value for name, value in found.items() if name in used}

    def _code(self) -> str:
        lines = [line for n in self.neurons.values() for line in (*n.equations, *n.at_trial)]
        return "\n".join(lines + [w.rule for w in self.wires.values()])

    def settings(self) -> dict[str, np.ndarray]:
        """What a compiled program is given anew for each run: ``projection.w``, ``projection.eta``."""
        found: dict[str, np.ndarray] = {}
        for w in self.wires.values():
            values: Mapping[str, Any] = w.parameters if w.weights is None else {"w": w.weights, **w.parameters}
            found |= {f"{w.name}.{name}": np.asarray(value, dtype=float) for name, value in values.items()}
        return found

    def digest(self) -> str:
        """Of all that is compiled in; not of weights, parameters and what is played."""
        parts: list[Any] = [self.spiking.document(), self.n_trials, self.played, sorted(self.readouts)]
        parts[0]["trial"] = self.spiking.trial.length_ms  # the windows are played
        for n in self.neurons.values():
            parts.append([n.name, n.size, n.equations, n.traces, n.rest, n.links, n.at_trial, n.refractory_ms])
        for w in self.wires.values():
            shapes = {name: np.shape(value) for name, value in w.parameters.items()}
            arrays = [None if a is None else hashlib.sha256(a.tobytes()).hexdigest() for a in (w.i, w.j, w.delays_ms)]
            parts.append([w.name, w.pre, w.post, arrays, w.weights is None, shapes, w.on_spike, w.sums, w.rule])
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        lines = [f"spiking network of {self.name!r}"]
        for n in self.neurons.values():
            lines.append(f"  {n.name}[{n.size}]")
            lines += [f"    {line}" for line in n.equations]
            lines += [f"    {s.event}: {s.condition}: {self.neurons[n.name].on(s)}" for s in n.spikes]
            lines += [f"    at each trial: {line}" for line in n.at_trial]
        for w in self.wires.values():
            lines.append(f"  {w.name}: {w.pre} -> {w.post}, {len(w.i)} synapses")
            lines += [f"    {event}: {code}" for event, code in w.on_spike.items()]
            lines += [f"    {target} = sum of {e}" for target, e in w.sums.items()]
            lines += [f"    every {self.spiking.rule_every_ms:g} ms: {w.rule}"] if w.rule else []
        return "\n".join(lines)
