"""The description of a network: its parts, and the actions of a tick in order, as plain data without brian2."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from circuitsim.export.brian2.parts import Group, Part, Wiring, check_free


@dataclass(frozen=True)
class Run:
    """Statements that run for every neuron or synapse of `owner`."""

    owner: str
    code: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.owner}: " + "; ".join(self.code)


@dataclass(frozen=True)
class Total:
    """The sum over synapses that `wiring.sums[target]` declares."""

    wiring: str
    target: str
    expression: str

    def __str__(self) -> str:
        return f"{self.wiring}: {self.target} = sum of {self.expression}"


@dataclass(frozen=True)
class Largest:
    """The largest value of a variable of synapses, for each neuron of one end; 0 without synapses."""

    wiring: str
    target: str
    variable: str

    def __str__(self) -> str:
        return f"{self.wiring}: {self.target} = largest {self.variable}"


Action = Run | Total | Largest


class Transcript:
    """Everything from which a Brian2 network is built. An action's position in the list is its `order`."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.wirings: dict[str, Wiring] = {}
        self.actions: list[Action] = []
        self.means: dict[tuple[str, sympy.Expr], sympy.Symbol] = {}  # (auxiliary neuron, expression) -> its mean

    def add(self, part: Group | Wiring) -> None:
        """Add a group or synapses.

        Raises:
            CircuitError: the name is taken.
        """
        check_free(part.name, self.parts)
        if isinstance(part, Group):
            self.groups[part.name] = part
        else:
            self.wirings[part.name] = part

    @property
    def parts(self) -> dict[str, Part]:
        """Groups and synapses, keyed by name."""
        return {**self.groups, **self.wirings}

    def link_to_batch(self, group: str, *signals: str) -> None:
        """Let a group read signals of the batch."""
        for name in signals:
            self.groups[group].link(name, "batch", name)

    def run(self, owner: str, *code: str) -> None:
        """Add statements that run in every tick, to those before them if these are the owner's too."""
        if code and self.actions and isinstance(last := self.actions[-1], Run) and last.owner == owner:
            self.actions[-1] = Run(owner, (*last.code, *code))
        elif code:
            self.actions.append(Run(owner, code))

    def sum(self, wiring: str, target: str, expression: str) -> None:
        """Add a sum over synapses into a variable of one end, which is declared there."""
        self._declare(wiring, target)
        self.wirings[wiring].sums[target] = expression
        self.actions.append(Total(wiring, target, expression))

    def largest(self, wiring: str, target: str, expression: str) -> None:
        """Add a maximum over synapses into a variable of one end, which is declared there."""
        self._declare(wiring, target)
        variable = f"{target}_candidate"
        self.wirings[wiring].declare(variable)
        self.run(wiring, f"{variable} = {expression}")
        self.actions.append(Largest(wiring, target, variable))

    def _declare(self, wiring: str, target: str) -> None:
        owner, variable = self.wirings[wiring].split(target)
        if owner in self.groups:
            self.groups[owner].declare(variable)

    def __str__(self) -> str:
        lines = ["groups"]
        for g in self.groups.values():
            links = [f"{own} (of {group})" for own, (group, _) in g.links.items()]
            lines.append(f"  {g.name}[{g.size}]: {', '.join([*g.variables, *g.shared, *links])}")
        lines.append("synapses")
        for w in self.wirings.values():
            names = ", ".join([*w.variables, *w.parameters])
            lines.append(f"  {w.name}: {w.pre} -> {w.post}, {len(w.i)} synapses" + (f": {names}" if names else ""))
        lines.append("in each tick, in this order")
        return "\n".join(lines + [f"  {k:3} {action}" for k, action in enumerate(self.actions)])
