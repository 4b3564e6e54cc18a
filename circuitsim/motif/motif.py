"""A motif: populations, projections and objectives, declared one by one."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

import networkx as nx

from circuitsim.errors import MotifError
from circuitsim.motif import graph, validate
from circuitsim.motif.objective import Objective
from circuitsim.motif.phase import CYCLE, Phase
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.motif.signal import Signal
from circuitsim.motif.value import plain, restore

Declared = Population | Projection | Objective | Signal | Phase


class Motif:
    """A declared circuit: what there is and how it changes, with no numbers drawn yet.

    Args:
        name: what the motif is called in tables and pictures.
    Example:
        >>> import circuitsim as cs
        >>> motif = cs.Motif("hebb")
        >>> motif.add(cs.Population("x", size=3), cs.Population("y", size=2, activation="relu"))
        >>> motif.connect("x", "y", name="W", rule=cs.Rule("eta * (post * pre - w)", eta=0.1))
        >>> motif.validate()
        >>> motif
        Motif('hebb': 2 populations, 1 projections)
    """

    def __init__(self, name: str = "motif") -> None:
        self.name = name
        self._populations: list[Population] = []
        self._projections: list[Projection] = []
        self._objectives: list[Objective] = []
        self._signals: list[Signal] = []
        self._phases: list[Phase] = []

    @property
    def populations(self) -> tuple[Population, ...]:
        """All populations, in the order of declaration."""
        return tuple(self._populations)

    @property
    def projections(self) -> tuple[Projection, ...]:
        """All projections, in the order of declaration."""
        return tuple(self._projections)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives, in the order of declaration."""
        return tuple(self._objectives)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All signals, in the order of declaration."""
        return tuple(self._signals)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a step, in order; there is at least one."""
        return tuple(self._phases) or (CYCLE,)

    @property
    def _kinds(self) -> dict[str, tuple[type[Any], list[Any]]]:
        """What can be declared, in the order of documents."""
        return {
            "populations": (Population, self._populations),
            "projections": (Projection, self._projections),
            "objectives": (Objective, self._objectives),
            "signals": (Signal, self._signals),
            "phases": (Phase, self._phases),
        }

    @property
    def values(self) -> tuple[Declared, ...]:
        """Everything declared."""
        return tuple(value for _, values in self._kinds.values() for value in values)

    def add(self, *values: Declared) -> None:
        """Add populations, objectives, signals, phases, or projections (`connect` reads better for those).

        Args:
            values: the declared values, in any order; `validate` looks at them together.
        Raises:
            MotifError: a value is none of these.
        """
        for value in values:
            for kind, declared in self._kinds.values():
                if isinstance(value, kind):
                    declared.append(value)
                    break
            else:
                known = ", ".join(kind.__name__ for kind, _ in self._kinds.values())
                raise MotifError(f"motif {self.name!r}: add takes one of {known} (got {value!r})")

    def connect(self, pre: str, post: str, *, name: str, **options: Any) -> None:
        """Add a projection.

        Args:
            pre, post: names of the populations that it runs from and to.
            name: of the projection.
            options: all else as in `Projection`: target, rule, init, connectivity, plastic, weight, bounds, state.
        Raises:
            TypeError: an unknown option.
        """
        self.add(Projection(name, pre, post, **options))

    def population(self, name: str) -> Population:
        """The population of that name.

        Args:
            name: as declared.
        Returns:
            The declared value.
        Raises:
            MotifError: there is none; the message lists the known ones.
        """
        return self._named(self._populations, "population", name)

    def projection(self, name: str) -> Projection:
        """The projection of that name.

        Args:
            name: as declared.
        Returns:
            The declared value.
        Raises:
            MotifError: there is none; the message lists the known ones.
        """
        return self._named(self._projections, "projection", name)

    def _named(self, values: list[Any], kind: str, name: str) -> Any:
        for value in values:
            if value.name == name:
                return value
        known = ", ".join(value.name for value in values) or "none"
        raise MotifError(f"motif {self.name!r} has no {kind} {name!r} (known: {known})")

    def replace(self, name: str, **changes: Any) -> Motif:
        """A copy in which one population or projection has other fields.

        Args:
            name: of the population or projection.
            changes: fields and their new values, such as ``plastic=False``.
        Returns:
            The copy; this motif is not changed.
        Raises:
            MotifError: there is nothing of that name.
        """
        copy = Motif(self.name)
        values: list[Population | Projection] = [*self._populations, *self._projections]
        known = sorted(value.name for value in values)
        if name not in known:
            raise MotifError(f"motif {self.name!r} has no population or projection {name!r} (known: {known})")
        for value in values:
            copy.add(dataclasses.replace(value, **changes) if value.name == name else value)
        copy.add(*self._objectives, *self._signals, *self._phases)
        return copy

    def renamed(self, name: str) -> Motif:
        """A copy under another name.

        Args:
            name: of the copy.
        Returns:
            The copy; this motif is not changed.
        """
        copy = Motif(name)
        copy.add(*self.values)
        return copy

    def validate(self) -> None:
        """Check the whole declaration.

        Raises:
            MotifError: once, with every fault found (`faults`), each naming its object.
        """
        faults = validate.faults(self)
        if faults:
            raise MotifError(faults)

    @property
    def graph(self) -> nx.MultiDiGraph:
        """Populations as nodes, projections as edges keyed by name; attributes are the declared fields."""
        return graph.to_networkx(self)

    @classmethod
    def from_networkx(cls, network: nx.MultiDiGraph) -> Motif:
        """The motif that a graph in the form of `graph` declares.

        Args:
            network: nodes are populations; edges, keyed by name, are projections; attributes are the declared fields,
                and
                those that are absent take their defaults.
        Returns:
            The motif; equal to the one that the graph was made from.
        Raises:
            MotifError: not a MultiDiGraph, an attribute that no field has, a node without a size.
        """
        motif = cls(str(network.graph.get("name") or "motif"))
        motif.add(*graph.values_of(network))
        return motif

    def to_json(self) -> str:
        """The declaration as text.

        Returns:
            JSON; `from_json` reads it back.
        """
        parts = {kind: plain(values) for kind, (_, values) in self._kinds.items() if values}
        return json.dumps({"name": self.name, **parts}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Motif:
        """Read a declaration written by `to_json`; nothing in it is run.

        Args:
            text: JSON.
        Returns:
            The motif; `validate` or `compile` check whether it makes sense.
        Raises:
            MotifError: the text is not such a declaration.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MotifError(f"motif: not JSON: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("name"), str):
            raise MotifError("motif: JSON must hold an object with a name, populations, projections and objectives")
        motif = cls(document["name"])
        for kind in motif._kinds:
            entries = document.get(kind, [])
            if not isinstance(entries, list):
                raise MotifError(f"motif {motif.name!r}: {kind} must be a list (got {type(entries).__name__})")
            try:
                motif.add(*(restore(entry, f"motif {motif.name!r}: {kind}[{k}]") for k, entry in enumerate(entries)))
            except RecursionError:
                raise MotifError(f"motif {motif.name!r}: {kind} are nested too deeply") from None
        return motif

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A picture of the motif; see `circuitsim.plots.draw`.

        Args:
            path: where to save it (.png, .svg or .pdf), or None.
            options: as in `circuitsim.plots.draw`.
        Returns:
            A matplotlib Figure.
        Raises:
            MotifError: the motif has faults.
            ParameterError: an unknown option value, or a suffix that cannot be written.
        """
        from circuitsim.plots import draw  # here: a declaration does not need matplotlib

        return draw(self, path, **options)

    def __eq__(self, other: object) -> bool:
        """Same name and same declarations, in whatever order (a graph does not keep it)."""
        return isinstance(other, Motif) and self._content() == other._content()

    def _content(self) -> tuple[str, Counter[Any]]:
        return self.name, Counter(self.values)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return (
            f"Motif({self.name!r}: "
            + ", ".join(f"{len(values)} {kind}" for kind, (_, values) in self._kinds.items() if values)
            + ")"
        )
