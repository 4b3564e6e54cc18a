"""The description of a Brian2 network, as plain data without brian2: neurons, synapses, and what runs at each step.

A plan becomes a blueprint in two ways, as rates (`transcribe`) and as spikes (`spiking.lower`). The blueprint is turned
into Brian2 objects by `build` and into a Python file by `script`. Brian2 would order what happens in one slot of a time
step by the names of the objects; here everything has its position as its `order`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.parts import Neurons, Values, Wires


@dataclass(frozen=True)
class Run:
    """Statements that run for every neuron or synapse."""

    owner: str  # a group or synapses
    code: tuple[str, ...]
    every_ms: float | None = None  # None for every time step
    when: str = "groups"  # the slot of the time step

    def __str__(self) -> str:
        every = "" if self.every_ms is None else f"every {self.every_ms:g} ms, {self.when}: "
        return f"{every}{self.owner}: " + "; ".join(self.code)


@dataclass(frozen=True)
class Reduce:
    """A sum over the synapses of each neuron at one end, or the largest value, 0 where there are no synapses."""

    owner: str  # the synapses
    target: str  # the variable of the end that takes the result, such as ``I_V1_post``
    expression: str  # what is summed, or the variable whose largest value is taken
    largest: bool = False
    when: ClassVar[str] = "groups"

    @property
    def code(self) -> tuple[str, ...]:
        return (self.expression,)

    def __str__(self) -> str:
        return f"{self.owner}: {self.target} = {'largest' if self.largest else 'sum of'} {self.expression}"


Action = Run | Reduce


@dataclass(frozen=True)
class Record:
    """Values of a variable that are kept at intervals during a run."""

    owner: str  # a group or synapses
    variable: str
    every_ms: float
    which: tuple[int, ...]  # the neurons or synapses
    when: str = "end"  # the slot of the time step, or "start", in which the records come before everything else

    @property
    def name(self) -> str:
        """The name in the results."""
        return f"{self.owner}_{self.variable}_record"


@dataclass(frozen=True)
class Monitor:
    """A StateMonitor, for all records of one owner that are made together."""

    records: tuple[Record, ...]
    order: int  # within the slot

    @property
    def variables(self) -> list[str]:
        return [r.variable for r in self.records]

    @property
    def name(self) -> str:
        """The name of the Brian2 object."""
        return "_".join([self.records[0].owner, *self.variables, "record"])


@dataclass
class Blueprint:
    """A network for a run, with groups and synapses in the order in which they are updated."""

    name: str  # of the motif
    dt_ms: float
    length_ms: float = 0.0  # of a trial, or of the run if there are no trials
    n_trials: int = 1
    method: str = "euler"  # of integrating the neurons' equations
    neurons: dict[str, Neurons] = field(default_factory=dict)
    wires: dict[str, Wires] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)  # what runs beside their equations, in order
    # the arrays that may be played -> the duration of a row in ms, and what the array says
    plays: dict[str, tuple[float, str]] = field(default_factory=dict)
    readouts: list[str] = field(default_factory=list)  # the groups whose variable F is a trial's output, at its end
    records: tuple[Record, ...] = ()
    records_spikes: bool = False  # whether every spike is kept

    # -- describing

    def add(self, part: Neurons | Wires) -> None:
        """Add a group or synapses, whose name must be free."""
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
        self._reduce(Reduce(wires, target, expression))
        self.wires[wires].equate(target, f"{target} = {expression} : 1 (summed)")

    def largest(self, wires: str, target: str, expression: str) -> None:
        """Add a maximum over synapses into a variable of one end, which is declared there."""
        variable = f"{target}_candidate"
        self.wires[wires].declare(variable)
        self.run(wires, f"{variable} = {expression}")
        self._reduce(Reduce(wires, target, variable, largest=True))

    def _reduce(self, action: Reduce) -> None:
        _, owner, variable = self.wires[action.owner].split(action.target)
        if owner in self.neurons:
            self.neurons[owner].declare(variable)
        self.actions.append(action)

    def sums(self, wires: str) -> list[str]:
        """The expressions that synapses sum up."""
        return [a.expression for a in self.actions if isinstance(a, Reduce) and a.owner == wires and not a.largest]

    def update(self, values: Mapping[str, Mapping[str, Values]]) -> None:
        """Set variables, such as those after a run, keyed by part and name."""
        for name, of_part in values.items():
            self.parts[name].variables.update(of_part)

    # -- what renderers read

    @property
    def parts(self) -> dict[str, Neurons | Wires]:
        """Groups and synapses, keyed by name."""
        return {**self.neurons, **self.wires}

    @property
    def values(self) -> dict[str, dict[str, Values]]:
        """All variables, keyed by part and name."""
        return {name: part.variables for name, part in self.parts.items()}

    def pathways(self, w: Wires) -> dict[str, int]:
        """The Brian2 pathways of synapses -> their `order`: whatever presynaptic spikes do comes first."""
        order = list(self.parts).index(w.name)
        return dict.fromkeys(w.events, order - len(self.parts)) | ({"post": order} if w.on_post else {})

    @property
    def ordered(self) -> Iterator[tuple[int, Action]]:
        """The actions with their `order`, which comes after that of the parts."""
        return enumerate(self.actions, len(self.parts))

    @property
    def monitors(self) -> list[Monitor]:
        """What records. An output is read when the next trial begins, before anything changes."""
        reads = [Record(k, "F", self.length_ms, tuple(range(self.neurons[k].size)), "start") for k in self.readouts]
        last = len(self.parts) + len(self.actions)
        together: dict[Any, list[Record]] = {}
        for r in (*reads, *self.records):
            together.setdefault((r.owner, r.every_ms, r.which, r.when), []).append(r)
        return [Monitor(tuple(found), 0 if found[0].when == "start" else last) for found in together.values()]

    @property
    def trains(self) -> list[tuple[str, str]]:
        """The groups and events of which every spike is kept."""
        return [(n.name, event) for n in self.neurons.values() for event in n.spikes if self.records_spikes]

    def equations(self, part: Neurons | Wires) -> list[str]:
        """The lines of the equations."""
        if isinstance(part, Neurons):
            return list(part.equations.values())
        return [self._decay(part, name) if name in part.decays else line for name, line in part.equations.items()]

    def _decay(self, w: Wires, variable: str) -> str:
        """Brian2 computes a decay at the synapse's own events, unless the variable is read at other times."""
        code = "\n".join(line for a in self.actions if a.owner == w.name for line in a.code)
        watched = [r.variable for r in self.records if r.owner == w.name]
        is_read = self.sums(w.name) or variable in watched or re.search(rf"\b{variable}\b", code)
        how = "clock" if is_read else "event"
        return f"d{variable}/dt = -{variable}/({w.decays[variable]!r}*ms) : 1 ({how}-driven)"

    @property
    def code(self) -> str:
        """All equations and statements."""
        lines = [line for n in self.neurons.values() for line in chain(n.equations.values(), *n.on_spike.values())]
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
                part[kind] = list(part.get(kind, {}))  # the equations say which of them are single numbers
        text = json.dumps(document, default=lambda array: hashlib.sha256(array.tobytes()).hexdigest())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        lines = [f"network of {self.name!r}"]
        for part in self.parts.values():
            names = [name for name in part.plain if name not in getattr(part, "decays", {})]
            if isinstance(part, Neurons):
                names = [f"{name} (of {part.links[name][0]})" if name in part.links else name for name in names]
                what, spikes = f"{part.name}[{part.size}]", part.spikes.items()
                said = [f"{event}: {condition}: {'; '.join(part.on_spike[event])}" for event, condition in spikes]
            else:
                what = f"{part.name}: {part.pre} -> {part.post}, {len(part.i)} synapses"
                said = [f"{event}: {code}" for event, code in part.on_spike.items()]
                said += [f"postsynaptic spike: {part.on_post}"] if part.on_post else []
            own = [line for line in self.equations(part) if not re.match(r"\w+ : 1|.*\(summed\)", line)]
            lines.append(f"  {what}" + (f": {', '.join(names)}" if names else ""))
            lines += [f"    {line}" for line in (*own, *said)]
        lines.append(f"in each time step of {self.dt_ms:g} ms, in this order")
        return "\n".join(lines + [f"  {order:3} {action}" for order, action in self.ordered])
