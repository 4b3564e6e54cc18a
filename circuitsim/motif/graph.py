"""Conversion between motifs and networkx graphs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from circuitsim.errors import MotifError
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.objective import Objective
from circuitsim.motif.phase import Phase
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.motif.signal import Signal

if TYPE_CHECKING:
    import networkx as nx


# Declarations that belong to no node or edge become attributes of the graph.
WHOLE: dict[str, type[Any]] = {"objectives": Objective, "signals": Signal, "phases": Phase}


def to_networkx(motif: Declarations) -> nx.MultiDiGraph:
    """Return the motif as a graph whose nodes and edges carry the declared fields as attributes."""
    import networkx as nx  # late: running a circuit does not need networkx

    whole = {name: tuple(v for v in motif.values if isinstance(v, kind)) for name, kind in WHOLE.items()}
    network = nx.MultiDiGraph(name=motif.name, **whole)
    for population in motif.populations:
        network.add_node(population.name, **_attributes(population, leave_out=("name",)))
    for p in motif.projections:
        network.add_edge(p.pre, p.post, key=p.name, **_attributes(p, leave_out=("name", "pre", "post")))
    return network


def values_of(network: nx.MultiDiGraph) -> Iterator[Population | Projection | Objective | Signal | Phase]:
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


def _attributes(value: Any, leave_out: tuple[str, ...]) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in leave_out}


def _build(kind: type[Any], owner: str, attributes: dict[Any, Any], **place: str) -> Any:
    known = {f.name for f in fields(kind)} - set(place)
    unknown = sorted(map(repr, set(attributes) - known))
    if unknown:
        raise MotifError(f"{owner}: unknown attribute {unknown[0]} (known: {', '.join(sorted(known))})")
    try:
        return kind(**attributes, **place)
    except TypeError as error:
        raise MotifError(f"{owner}: {error}") from None
