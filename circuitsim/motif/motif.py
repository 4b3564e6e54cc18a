"""The motif: declared populations, projections, objectives, signals and phases, and what can be done with them."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from circuitsim.errors import MotifError, ParameterError
from circuitsim.motif import validate
from circuitsim.motif.declarations import KINDS, Declarations, Declared
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection, check_options
from circuitsim.motif.value import plain, restore

if TYPE_CHECKING:
    import networkx as nx

# Declarations that belong to no node or edge become attributes of the graph.
WHOLE = ("objectives", "signals", "phases")


class Motif(Declarations):
    """A declared circuit: its parts and their rules, before any weights are drawn.

    Args:
        name: the motif's name in tables and figures.
    Example:
        >>> import circuitsim as cs
        >>> motif = cs.Motif("hebb")
        >>> x = motif.add(cs.Population("x", size=3))
        >>> y = motif.add(cs.Population("y", size=2, activation="relu"))
        >>> W = motif.connect(x, y, name="W", rule="eta * (post * pre - w)", parameters={"eta": 0.1})
        >>> motif.validate()
        >>> motif
        Motif('hebb': 2 populations, 1 projections)
    """

    def replace(self, name: str | Population | Projection, **changes: Any) -> Motif:
        """Return a copy in which some fields of one population or projection are replaced.

        Args:
            name: the population or projection, or its name. A name that both a population and a projection have means
                the one that has these fields.
            changes: the fields and their new values, such as ``plastic=False``.
        Returns:
            The copy; this motif is not changed.
        Raises:
            MotifError: no population or projection has that name, or it has no such field, or both have.
        """
        values: list[Population | Projection] = [*self.populations, *self.projections]
        if isinstance(name, str):
            found = [value for value in values if value.name == normalized(name)]
            if len(found) > 1 and changes:
                found = [value for value in found if _attributes(value).keys() >= changes.keys()] or found
        else:
            found = [value for value in values if value is name]
        if not found:
            known = sorted(value.name for value in values)
            raise MotifError(f"motif {self.name!r} has no population or projection {name!r} (known: {known})")
        if len(found) > 1:
            raise MotifError(
                f"motif {self.name!r}: {name!r} is a population and a projection, which both have "
                f"{', '.join(changes)}: give replace motif.population({name!r}) or motif.projection({name!r}) itself"
            )
        copy = Motif(self.name)
        copy.add(*(_replaced(value, changes) if value is found[0] else value for value in self.values))
        return copy

    def renamed(self, name: str) -> Motif:
        """Return a copy under another name.

        Args:
            name: the name of the copy.
        Returns:
            The copy; this motif is not changed.
        """
        copy = Motif(name)
        copy.add(*self.values)
        return copy

    def validate(self) -> None:
        """Check the whole declaration.

        Raises:
            MotifError: the declaration has faults; the one error lists all of them (`faults`), each naming its object.
        """
        faults = validate.faults(self)
        if faults:
            raise MotifError(faults)

    @property
    def graph(self) -> nx.MultiDiGraph:
        """The motif as a graph: populations are nodes, projections are edges keyed by name, fields are attributes."""
        import networkx as nx  # late: running a circuit does not need networkx

        network = nx.MultiDiGraph(name=self.name, **{kind: tuple(self._declared[kind]) for kind in WHOLE})
        for population in self.populations:
            network.add_node(population.name, **_attributes(population, "name"))
        for p in self.projections:
            network.add_edge(p.pre, p.post, key=p.name, **_attributes(p, "name", "pre", "post"))
        return network

    @classmethod
    def from_networkx(cls, network: nx.MultiDiGraph) -> Motif:
        """Build a motif from a graph, the inverse of `graph`.

        Args:
            network: a graph whose nodes are populations and whose edges, keyed by name, are projections. The attributes
                are the declared fields; missing ones take their defaults.
        Returns:
            The motif, not yet validated.
        Raises:
            MotifError: the graph is not a MultiDiGraph, an attribute is unknown, or a node has no size.
        """
        motif = cls(str(network.graph.get("name") or "motif"))
        motif.add(*_declared_in(network))
        return motif

    def to_json(self) -> str:
        """Write the declaration as JSON.

        Returns:
            The JSON text, which `from_json` reads.
        """
        parts = {kind: plain(values) for kind, values in self._declared.items() if values}
        return json.dumps({"name": self.name, **parts}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Motif:
        """Read a declaration written by `to_json`, without executing anything in it.

        Args:
            text: the JSON text.
        Returns:
            The motif, not yet validated (`validate` and `compile` do that).
        Raises:
            MotifError: the text is not the declaration of a motif.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise MotifError(f"motif: not JSON: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("name"), str):
            raise MotifError("motif: JSON must hold an object with a name, populations, projections and objectives")
        motif = cls(document["name"])
        if unknown := [key for key in document if key not in ("name", *KINDS)]:
            known = ", ".join(("name", *KINDS))
            raise MotifError(f"motif {motif.name!r}: JSON has the unknown key {unknown[0]!r} (known: {known})")
        for kind in KINDS:
            entries = document.get(kind, [])
            if not isinstance(entries, list):
                raise MotifError(f"motif {motif.name!r}: {kind} must be a list (got {type(entries).__name__})")
            try:
                motif.add(*(restore(entry, f"motif {motif.name!r}: {kind}[{k}]") for k, entry in enumerate(entries)))
            except RecursionError:
                raise MotifError(f"motif {motif.name!r}: {kind} are nested too deeply") from None
        return motif

    def draw(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Any:
        """Draw the motif, as `circuitsim.draw` does.

        Args:
            path: the file to save the figure to (.png, .svg or .pdf), or None.
            options: `title` and `flow`, as in `circuitsim.draw`.
        Returns:
            A matplotlib figure.
        Raises:
            MotifError: the motif has faults.
            ParameterError: an option has an unknown value, or the file type is not supported.
        """
        from circuitsim.plots import draw  # late: plots import this module, and a declaration does not need matplotlib

        return draw(self, path, **options)

    def methods_table(self, format: str = "markdown") -> str:
        """Return tables that describe the circuit in a paper, with the rules as equations.

        Args:
            format: "markdown", or "latex" (tabular environments that need no package).
        Returns:
            The text of the tables: model summary, populations, connectivity, neuron and synapse model, plasticity,
            input, phases of a step where they are declared, and measurements.
        Raises:
            MotifError: the motif has faults.
            ParameterError: the format is unknown.
        Example:
            >>> import circuitsim as cs
            >>> motif = cs.Motif("hebb")
            >>> x, y = motif.add(cs.Population("x", size=3), cs.Population("y", size=2, activation="relu"))
            >>> W = motif.connect(x, y, name="W", rule="eta * post * pre", parameters={"eta": 0.1})
            >>> [line for line in motif.methods_table().splitlines() if "dw" in line]
            ['| W | `dw = eta * post * pre` | `eta = 0.1` |']
            >>> r"$\\Delta w_{ij} = \\eta \\, a_{i} \\, a_{j}$" in motif.methods_table(format="latex")
            True

        Source: Nordlie, Gewaltig & Plesser (2009), PLoS Computational Biology 5:e1000456.
        """
        from circuitsim.motif.methods_table import tables_of  # late: only papers need it

        if format not in ("markdown", "latex"):
            raise ParameterError(f"methods_table: format must be 'markdown' or 'latex' (got {format!r})")
        self.validate()
        tables = tables_of(self)
        return "\n".join(table.latex() if format == "latex" else table.markdown() for table in tables)


def _replaced(value: Population | Projection, changes: dict[str, Any]) -> Population | Projection:
    known = _attributes(value)
    if isinstance(value, Projection):
        check_options(f"projection {value.name!r}", {k: v for k, v in changes.items() if k not in known})
    elif unknown := changes.keys() - known.keys():
        raise MotifError(f"population {value.name!r}: unknown field {min(unknown)!r} (known: {', '.join(known)})")
    return dataclasses.replace(value, **changes)


# -- graphs


def _declared_in(network: nx.MultiDiGraph) -> Iterator[Declared]:
    """Yield the values that a graph declares; missing attributes take their defaults."""
    import networkx as nx

    if not isinstance(network, nx.MultiDiGraph):
        raise MotifError(
            f"from_networkx takes a networkx.MultiDiGraph (got {type(network).__name__}); "
            "networkx.MultiDiGraph(graph) makes one"
        )
    for name, attributes in network.nodes(data=True):
        if "size" not in attributes:
            raise MotifError(
                f"population {name!r}: the node has no size, the number of its neurons; set it, as in "
                f"graph.nodes[{name!r}]['size'] = 10"
            )
        yield _build(Population, f"population {name!r}", attributes, name=name)
    for pre, post, name, attributes in network.edges(keys=True, data=True):
        yield _build(Projection, f"projection {name!r}", attributes, name=name, pre=pre, post=post)
    for name in network.graph:
        if near := difflib.get_close_matches(str(name), WHOLE, n=1, cutoff=0.8) if name not in WHOLE else []:
            raise MotifError(f"the graph has the unknown attribute {name!r}; did you mean {near[0]!r}?")
    for kind in WHOLE:
        declared = network.graph.get(kind, ())
        if not isinstance(declared, list | tuple):
            raise MotifError(f"the graph's attribute {kind!r} must be a list (got {declared!r})")
        yield from declared


def _attributes(value: Population | Projection, *left_out: str) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in left_out}


def _build(kind: type[Any], owner: str, attributes: dict[Any, Any], **place: str) -> Any:
    known = {f.name for f in dataclasses.fields(kind)} - set(place)
    unknown = sorted(map(repr, set(attributes) - known))
    if unknown:
        raise MotifError(f"{owner}: unknown attribute {unknown[0]} (known: {', '.join(sorted(known))})")
    try:
        return kind(**attributes, **place)
    except TypeError as error:
        raise MotifError(f"{owner}: {error}") from None
