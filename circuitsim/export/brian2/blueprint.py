"""The description of a Brian2 network, as plain data without brian2: neurons, synapses, and what runs at each step.

A plan becomes a blueprint in two ways, as rates (`transcribe`) and as spikes (`spiking.lower`). The blueprint is turned
into Brian2 objects by `build` and into a Python file by `script`. Brian2 would order what happens in one slot of a time
step by the names of the objects; here everything has its position as its `order`.
"""

from __future__ import annotations

import abc
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import CircuitError

Values = np.ndarray | float
DELAY = "delay_ms"  # the constant of synapses that holds their delay, where a spike's effect depends on it


class Part(abc.ABC):
    """Neurons or synapses, with variables."""

    name: str
    variables: dict[str, Values]

    @property
    @abc.abstractmethod
    def names(self) -> list[str]:
        """All names in use, in order."""

    @property
    def values(self) -> dict[str, Values]:
        """What is set before a run."""
        return self.variables

    def declare(self, variable: str, start: Values = 0.0) -> None:
        """Add a variable.

        Raises:
            CircuitError: the name is taken.
        """
        self.check_new(variable)
        self.variables[variable] = start

    def check_new(self, name: str) -> None:
        """Raise a CircuitError if the name is taken."""
        if name in self.names:
            raise CircuitError(f"{self.name!r} would have two Brian2 variables {name!r}; rename yours")


@dataclass
class Neurons(Part):
    """A NeuronGroup.

    Args:
        name, size: the group's name and number of neurons.
        variables: the initial values of variables, one number per neuron.
        lines: the equations of those variables that have one: membranes, currents and traces.
        links: own name -> (group, variable), for variables that are read from another group, neuron by neuron or from a
            group of one neuron.
        spikes: the condition at which each kind of spike is emitted, keyed by event.
        on_spike: the statements that a spike runs at its own neuron, keyed by event.
        refractory_ms: the refractory period, 0 for none.
    """

    name: str
    size: int
    variables: dict[str, Values] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    spikes: dict[str, str] = field(default_factory=dict)
    on_spike: dict[str, list[str]] = field(default_factory=dict)
    refractory_ms: float = 0.0

    def link(self, own: str, group: str, variable: str) -> None:
        """Read a variable of another group under the name `own`.

        Raises:
            CircuitError: the name is taken by another variable.
        """
        if self.links.get(own) != (group, variable):
            self.check_new(own)
            self.links[own] = (group, variable)

    @property
    def plain(self) -> list[str]:
        """The variables without an equation, which change only where statements say so."""
        with_equation = self._with_equation
        return [name for name in self.variables if name not in with_equation]

    @property
    def names(self) -> list[str]:
        return [*self._with_equation, *self.plain, *self.links]

    @property
    def equations(self) -> list[str]:
        """The lines of the NeuronGroup's equations."""
        links = [f"{name} : 1 (linked)" for name in self.links]
        return [*self.lines, *(f"{name} : 1" for name in self.plain), *links]

    @property
    def differential(self) -> list[str]:
        """The variables that have a differential equation."""
        return [name[1] for line in self.lines if (name := re.match(r"d(\w+)/dt", line))]

    @property
    def _with_equation(self) -> list[str]:
        found = (re.match(r"d(\w+)/dt|(\w+)", line) for line in self.lines)
        return [name[1] or name[2] for name in found if name]

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the NeuronGroup, beside its refractory period: what makes it spike."""
        others = {event: condition for event, condition in self.spikes.items() if event != "spike"}
        main = {"threshold": self.spikes.get("spike"), "reset": "; ".join(self.on_spike.get("spike", []))}
        return {name: value for name, value in {**main, "events": others}.items() if value}


@dataclass
class Wires(Part):
    """Synapses between two groups, or from synapses to synapses.

    Args:
        name, pre, post: the names of the synapses and of their two ends.
        i, j: indices of the presynaptic and postsynaptic neurons, shape ``[synapse]``.
        variables: the initial values of each variable, one number per synapse.
        parameters: constants, either one number or one per synapse.
        decays: the time constants in ms of variables that decay.
        sums: a variable of one end, such as ``I_V1_post`` -> the expression that is summed into it.
        on_spike: the statements that a presynaptic event runs, keyed by event.
        on_post: the statements that a postsynaptic spike runs, or "".
        delays_ms: conduction delays ``[synapse]``, or None.
        learns: whether the weight changes.
    """

    name: str
    pre: str
    post: str
    i: np.ndarray
    j: np.ndarray
    variables: dict[str, Values] = field(default_factory=dict)
    parameters: dict[str, Values] = field(default_factory=dict)
    decays: dict[str, float] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    on_spike: dict[str, str] = field(default_factory=dict)
    on_post: str = ""
    delays_ms: np.ndarray | None = None
    learns: bool = False

    @property
    def names(self) -> list[str]:
        return [*self.variables, *self.parameters]

    @property
    def values(self) -> dict[str, Values]:
        return {**self.variables, **self.parameters}

    def split(self, target: str) -> tuple[str, str]:
        """Split the name of a summed variable: ``I_V1_post`` gives the postsynaptic group and ``I_V1``."""
        variable, _, end = target.rpartition("_")
        return (self.pre if end == "pre" else self.post), variable

    @property
    def events(self) -> dict[str, str]:
        """The Brian2 pathways of presynaptic events -> their events."""
        return {"pre" if event == "spike" else event: event for event in self.on_spike}

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the Synapses: what spikes do, and how decays are integrated."""
        found: dict[str, Any] = {"on_post": self.on_post, "method": "exact" if self.decays else ""}
        found["on_pre"] = {pathway: self.on_spike[event] for pathway, event in self.events.items()}
        if list(self.events) == ["pre"]:
            found["on_pre"] = self.on_spike["spike"]
        elif self.events:
            found["on_event"] = {**self.events, "post": "spike"}
        return {name: value for name, value in sorted(found.items()) if value}


@dataclass(frozen=True)
class Run:
    """Statements that run for every neuron or synapse of `owner`.

    Args:
        owner: a group or synapses.
        code: the statements.
        every_ms: the interval, or None for every time step.
        when: the slot of the time step.
    """

    owner: str
    code: tuple[str, ...]
    every_ms: float | None = None
    when: str = "groups"

    def __str__(self) -> str:
        every = "" if self.every_ms is None else f"every {self.every_ms:g} ms, {self.when}: "
        return f"{every}{self.owner}: " + "; ".join(self.code)


@dataclass(frozen=True)
class Total:
    """The sum over synapses that `wires.sums[target]` declares."""

    owner: str
    target: str
    expression: str
    when: str = "groups"

    @property
    def code(self) -> tuple[str, ...]:
        return (self.expression,)

    def __str__(self) -> str:
        return f"{self.owner}: {self.target} = sum of {self.expression}"


@dataclass(frozen=True)
class Largest:
    """The largest value of a variable of synapses, for each neuron of one end; 0 without synapses."""

    owner: str
    target: str
    variable: str
    when: str = "groups"

    @property
    def code(self) -> tuple[str, ...]:
        return (self.variable,)

    def __str__(self) -> str:
        return f"{self.owner}: {self.target} = largest {self.variable}"


Action = Run | Total | Largest


@dataclass(frozen=True)
class Record:
    """Values that are kept at intervals during a run.

    Args:
        owner: a group or synapses.
        variable: one of its variables.
        every_ms: the interval.
        which: the neurons or synapses.
        when: the slot of the time step, "end" or "start", in which the records come before everything else.
    """

    owner: str
    variable: str
    every_ms: float
    which: tuple[int, ...]
    when: str = "end"

    @property
    def name(self) -> str:
        """The name of the monitor."""
        return f"{self.owner}_{self.variable}_record"


@dataclass
class Blueprint:
    """A network for a run.

    Args:
        name: the motif's name.
        dt_ms: the time step.
        length_ms: the length of a trial, or of the run if there are no trials.
        n_trials: the number of trials in one run.
        method: how the neurons' equations are integrated.
        neurons, wires: groups and synapses in the order in which they are updated, keyed by name.
        actions: what runs beside their equations, in order.
        plays: the arrays that may be played -> the duration of a row in ms, and what the array says.
        readouts: the names of the groups whose variable F is the output of a trial, at its end.
        records: what is kept during the run.
        records_spikes: whether every spike is kept.
    """

    name: str
    dt_ms: float
    length_ms: float = 0.0
    n_trials: int = 1
    method: str = "euler"
    neurons: dict[str, Neurons] = field(default_factory=dict)
    wires: dict[str, Wires] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    plays: dict[str, tuple[float, str]] = field(default_factory=dict)
    readouts: list[str] = field(default_factory=list)
    records: tuple[Record, ...] = ()
    records_spikes: bool = False

    # -- describing

    def add(self, part: Neurons | Wires) -> None:
        """Add a group or synapses.

        Raises:
            CircuitError: the name is taken.
        """
        if part.name in self.parts:
            raise CircuitError(f"two Brian2 objects would be called {part.name!r}; rename the population or projection")
        if isinstance(part, Neurons):
            self.neurons[part.name] = part
        else:
            self.wires[part.name] = part

    def run(self, owner: str, *code: str, every_ms: float | None = None, when: str = "groups") -> None:
        """Add statements, to those before them if these run at the same time for the same owner."""
        last = self.actions[-1] if self.actions else None
        if isinstance(last, Run) and (last.owner, last.every_ms, last.when) == (owner, every_ms, when):
            code = (*self.actions.pop().code, *code)
        if code:
            self.actions.append(Run(owner, code, every_ms, when))

    def sum(self, wires: str, target: str, expression: str) -> None:
        """Add a sum over synapses into a variable of one end, which is declared there."""
        self._declare(wires, target)
        self.wires[wires].sums[target] = expression
        self.actions.append(Total(wires, target, expression))

    def largest(self, wires: str, target: str, expression: str) -> None:
        """Add a maximum over synapses into a variable of one end, which is declared there."""
        self._declare(wires, target)
        variable = f"{target}_candidate"
        self.wires[wires].declare(variable)
        self.run(wires, f"{variable} = {expression}")
        self.actions.append(Largest(wires, target, variable))

    def _declare(self, wires: str, target: str) -> None:
        owner, variable = self.wires[wires].split(target)
        if owner in self.neurons:
            self.neurons[owner].declare(variable)

    def update(self, values: Mapping[str, Mapping[str, Values]]) -> None:
        """Set variables, such as those after a run, keyed by part and name."""
        for name, of_part in values.items():
            self.parts[name].variables.update(of_part)

    # -- what renderers read

    @property
    def parts(self) -> dict[str, Neurons | Wires]:
        """Groups and synapses, keyed by name."""
        return {**self.neurons, **self.wires}

    def pathways(self, w: Wires) -> dict[str, int]:
        """The Brian2 pathways of synapses -> their `order`: whatever presynaptic spikes do comes first."""
        order = list(self.parts).index(w.name)
        return dict.fromkeys(w.events, order - len(self.parts)) | ({"post": order} if w.on_post else {})

    @property
    def ordered(self) -> Iterator[tuple[int, Action]]:
        """The actions with their `order`, which comes after that of the parts."""
        return enumerate(self.actions, len(self.parts))

    @property
    def monitors(self) -> tuple[tuple[int, Record], ...]:
        """The records with their `order`. An output is read when the next trial begins, before anything changes."""
        reads = [Record(k, "F", self.length_ms, tuple(range(self.neurons[k].size)), "start") for k in self.readouts]
        last = len(self.parts) + len(self.actions)
        return tuple((0 if r.when == "start" else last, r) for r in (*reads, *self.records))

    @property
    def trains(self) -> list[tuple[str, str]]:
        """The groups and events of which every spike is kept."""
        return [(n.name, event) for n in self.neurons.values() for event in n.spikes if self.records_spikes]

    def equations(self, w: Wires) -> list[str]:
        """The lines of the equations of synapses."""
        lines = [self._decay(w, v) if v in w.decays else f"{v} : 1" for v in w.variables]
        lines += [f"{k} : 1 ({'shared, ' if np.ndim(v) == 0 else ''}constant)" for k, v in w.parameters.items()]
        return lines + [f"{target} = {e} : 1 (summed)" for target, e in w.sums.items()]

    def _decay(self, w: Wires, variable: str) -> str:
        """Brian2 computes a decay at the synapse's own events, unless the variable is read at other times."""
        code = "\n".join(line for a in self.actions if a.owner == w.name for line in a.code)
        watched = [r.variable for r in self.records if r.owner == w.name]
        is_read = w.sums or variable in watched or re.search(rf"\b{variable}\b", code)
        how = "clock" if is_read else "event"
        return f"d{variable}/dt = -{variable}/({w.decays[variable]!r}*ms) : 1 ({how}-driven)"

    @property
    def code(self) -> str:
        """All equations and statements."""
        lines = [line for n in self.neurons.values() for code in (n.lines, *n.on_spike.values()) for line in code]
        lines += [code for w in self.wires.values() for code in (*w.on_spike.values(), w.on_post)]
        return "\n".join(lines + [code for action in self.actions for code in action.code])

    @property
    def played(self) -> dict[str, float]:
        """The arrays that the code reads -> the duration of a row in ms."""
        used = set(re.findall(r"\b(\w+)\(", self.code))
        return {name: row_ms for name, (row_ms, _) in self.plays.items() if name in used}

    def settings(self) -> dict[str, np.ndarray]:
        """The values that a compiled program receives for each run, such as ``projection.w`` or ``projection.eta``."""
        return {
            f"{part.name}.{name}": np.asarray(value, dtype=float)
            for part in self.parts.values()
            for name, value in part.values.items()
        }

    def digest(self) -> str:
        """A digest of everything that is compiled in, which excludes settings, played arrays and the name."""
        document = dataclasses.asdict(dataclasses.replace(self, name=""))
        for part in (*document["neurons"].values(), *document["wires"].values()):
            for kind in ("variables", "parameters"):
                part[kind] = [(name, np.shape(value)) for name, value in part.get(kind, {}).items()]
        text = json.dumps(document, default=lambda array: hashlib.sha256(array.tobytes()).hexdigest())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        lines = [f"network of {self.name!r}", "neurons"]
        for n in self.neurons.values():
            plain = [*n.plain, *(f"{own} (of {group})" for own, (group, _) in n.links.items())]
            lines += [f"  {n.name}[{n.size}]" + (f": {', '.join(plain)}" if plain else "")]
            lines += [f"    {line}" for line in n.lines]
            lines += [
                f"    {event}: {condition}: {'; '.join(n.on_spike[event])}" for event, condition in n.spikes.items()
            ]
        lines.append("synapses")
        for w in self.wires.values():
            plain = [name for name in w.names if name not in w.decays]
            lines += [
                f"  {w.name}: {w.pre} -> {w.post}, {len(w.i)} synapses" + (f": {', '.join(plain)}" if plain else "")
            ]
            lines += [f"    {self._decay(w, variable)}" for variable in w.decays]
            lines += [f"    {event}: {code}" for event, code in w.on_spike.items()]
            lines += [f"    postsynaptic spike: {w.on_post}"] if w.on_post else []
        lines.append(f"in each time step of {self.dt_ms:g} ms, in this order")
        return "\n".join(lines + [f"  {order:3} {action}" for order, action in self.ordered])
