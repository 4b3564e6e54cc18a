"""The description of a spiking network (neurons, synapses and the arrays played to them), as plain data without brian2.

The same description is turned into Brian2 objects by `build` and into a Python file by `script`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.export.brian2.parts import Values, Wiring, check_free
from circuitsim.export.brian2.spiking.cells import Spike
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.trial import GRID_MS, WINDOWS

DELAY = "delay_ms"  # the variable of synapses that holds their delay, where a spike's effect depends on it


@dataclass
class Neurons:
    """A NeuronGroup.

    Args:
        name, size: the group's name and number of neurons.
        equations: lines for the membrane, currents and traces.
        spikes: the kinds of spike that the neurons emit.
        traces: the statements that each kind of spike runs before its reset, keyed by event.
        refractory_ms: the refractory period, 0 for none.
        rest: the resting values of variables, if they are not 0.
        links: own name -> (group, variable) of a variable that is read from another group.
        at_trial: statements at the beginning of each trial.
        signed: whether spikes can represent both signs.
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

    @property
    def names(self) -> list[str]:
        """The variables, in order."""
        found = (re.match(r"d(\w+)/dt|(\w+)", line.strip()) for line in self.equations)
        return [name[1] or name[2] for name in found if name]

    def on(self, spike: Spike) -> str:
        """The statements that a spike runs. The trace comes first, because it may read the sign of the membrane."""
        return "; ".join(filter(None, (self.traces.get(spike.event, ""), spike.reset)))


@dataclass
class Wires(Wiring):
    """Synapses that spikes and a rule act on. The sums are taken before each plasticity step.

    Args:
        on_spike: the statements that a presynaptic event runs at the postsynaptic neuron, keyed by event.
        delays_ms: conduction delays ``[synapse]``, or None.
        rule: the statement of the plasticity step, or "".
        on_post: the statements that a postsynaptic spike runs, or "".
        at_trial: statements at the beginning of each trial.
        decays: the time constants in ms of variables that decay.
        learns: whether the weight changes.
        watched: variables that are recorded.
    """

    on_spike: dict[str, str] = field(default_factory=dict)
    delays_ms: np.ndarray | None = None
    rule: str = ""
    on_post: str = ""
    at_trial: list[str] = field(default_factory=list)
    decays: dict[str, float] = field(default_factory=dict)
    learns: bool = False
    watched: frozenset[str] = frozenset()

    @property
    def code(self) -> list[str]:
        """All statements."""
        return [self.rule, *self.on_spike.values(), self.on_post, *self.sums.values()]

    @property
    def reads_delay(self) -> bool:
        """Whether the effect of a spike depends on its delay, so that synapses have it as a variable."""
        return any(DELAY in code for code in self.on_spike.values())

    def declared(self, variable: str) -> str:
        if variable not in self.decays:
            return super().declared(variable)
        # Brian2 computes a decay at the synapse's own events, unless the variable is read at other times
        others = "\n".join([self.rule, *self.sums.values()])
        is_read = self.sums or variable in self.watched or re.search(rf"\b{variable}\b", others) or self.at_trial
        how = "clock" if is_read else "event"
        return f"d{variable}/dt = -{variable}/({self.decays[variable]!r}*ms) : 1 ({how}-driven)"

    @property
    def constants(self) -> dict[str, Values]:
        delays = {DELAY: self.delays_ms} if self.reads_delay and self.delays_ms is not None else {}
        return {**delays, **self.parameters}


@dataclass(frozen=True)
class Record:
    """Values that are kept at intervals during a run.

    Args:
        owner: a group or synapses.
        variable: one of its variables.
        every_ms: the interval.
        which: the neurons or synapses.
    """

    owner: str
    variable: str
    every_ms: float
    which: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the monitor."""
        return f"{self.owner}_{self.variable}_record"


@dataclass
class Blueprint:
    """A network for a number of trials.

    Args:
        name: the motif's name.
        spiking: time constants and time steps.
        n_trials: the number of trials in one run.
        length_ms: the length of a trial, or of the run if there are no trials.
        neurons, wires: groups and synapses in the order in which they are updated, keyed by name.
        readouts: the names of the graded populations.
        windows: the names of arrays with one number for every ms of each trial.
        widths: the name of an array with one row per trial -> its number of columns, 0 for one number per trial.
        streams: the name of another array -> the duration of a row in ms, and its shape.
        records: what is kept during the run.
        records_spikes: whether every spike is kept.
    """

    name: str
    spiking: Spiking
    n_trials: int
    length_ms: float
    neurons: dict[str, Neurons] = field(default_factory=dict)
    wires: dict[str, Wires] = field(default_factory=dict)
    readouts: list[str] = field(default_factory=list)
    windows: tuple[str, ...] = WINDOWS
    widths: dict[str, int] = field(default_factory=dict)
    streams: dict[str, tuple[float, tuple[int, ...]]] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    records_spikes: bool = False

    def add(self, part: Neurons | Wires) -> None:
        """Add a group or synapses.

        Raises:
            CircuitError: the name is taken.
        """
        check_free(part.name, self.parts)
        if isinstance(part, Neurons):
            self.neurons[part.name] = part
        else:
            self.wires[part.name] = part

    @property
    def method(self) -> str:
        """How the neurons' equations are integrated. Euler's method keeps the mean of every current exact; in a network
        without trials, decays are exact instead."""
        return "euler" if self.spiking.trial is not None else "exponential_euler"

    @property
    def parts(self) -> dict[str, Neurons | Wires]:
        """Groups and synapses, keyed by name."""
        return {**self.neurons, **self.wires}

    @property
    def trains(self) -> list[tuple[str, str]]:
        """The recorded spikes, as (group, event)."""
        return [(n.name, s.event) for n in self.neurons.values() for s in n.spikes] if self.records_spikes else []

    @property
    def played(self) -> dict[str, tuple[float, tuple[int, ...]]]:
        """The arrays that the equations read: name -> (duration of a row in ms, shape)."""
        length = self.length_ms
        per_ms: tuple[int, ...] = (self.n_trials * round(length / GRID_MS),)
        found = dict.fromkeys(self.windows, (GRID_MS, per_ms))
        found |= {name: (length, (self.n_trials, n) if n else (self.n_trials,)) for name, n in self.widths.items()}
        found |= self.streams
        used = set(re.findall(r"\b(\w+)\(", self.code))
        return {name: value for name, value in found.items() if name in used}

    @property
    def code(self) -> str:
        """All equations and statements."""
        lines = [line for n in self.neurons.values() for line in (*n.equations, *n.traces.values(), *n.at_trial)]
        return "\n".join(lines + [code for w in self.wires.values() for code in w.code])

    def settings(self) -> dict[str, np.ndarray]:
        """The values that a compiled program receives for each run, such as ``projection.w`` or ``projection.eta``."""
        found: dict[str, np.ndarray] = {}
        for w in self.wires.values():
            values = {**w.variables, **w.parameters}
            found |= {f"{w.name}.{name}": np.asarray(value, dtype=float) for name, value in values.items()}
        return found

    def digest(self) -> str:
        """A digest of everything that is compiled in, which excludes weights, parameters and played arrays."""
        parts: list[Any] = [self.spiking.document(), self.n_trials, self.played, sorted(self.readouts)]
        parts += [self.records, self.trains]
        parts[0]["trial"] = self.length_ms  # the windows are played arrays
        for n in self.neurons.values():
            parts.append([n.name, n.size, n.equations, n.traces, n.rest, n.links, n.at_trial, n.refractory_ms])
        for w in self.wires.values():
            shapes = {name: np.shape(value) for name, value in w.parameters.items()}
            arrays = [None if a is None else hashlib.sha256(a.tobytes()).hexdigest() for a in (w.i, w.j, w.delays_ms)]
            parts.append(
                [w.name, w.pre, w.post, arrays, not w.variables, shapes, w.equations, w.on_spike, w.on_post, w.at_trial]
            )
            parts.append(w.rule)
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
            lines += [f"    {w.declared(variable)}" for variable in w.decays]
            lines += [f"    {event}: {code}" for event, code in w.on_spike.items()]
            lines += [f"    postsynaptic spike: {w.on_post}"] if w.on_post else []
            lines += [f"    at each trial: {line}" for line in w.at_trial]
            lines += [f"    {target} = sum of {e}" for target, e in w.sums.items()]
            lines += [f"    every {self.spiking.rule_every_ms:g} ms: {w.rule}"] if w.rule else []
        return "\n".join(lines)
