"""The order in which the activities of populations are computed."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from circuitsim.motif.activation import activation_expression
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection

if TYPE_CHECKING:
    import networkx as nx

_GATE = re.compile(r"\b(?:activity|slope)_(\w+)")
GATE = "gate"

Edges = dict[tuple[str, str], str]


def gates_of(population: Population) -> tuple[str, ...]:
    """Return the names of the populations that this one's activation reads."""
    if not isinstance(text := activation_expression(population.activation), str):
        return ()
    return tuple(dict.fromkeys(_GATE.findall(normalized(text))))


def dependencies(motif: Declarations, projections: Iterable[Projection], errors: bool = True) -> Edges:
    """Map each pair (a, b) where b's activity depends on a's to the reason.

    The reason is the name of a soma projection without delay, "gate", or the loss of an objective. In a step of
    several iterations, gates that would close a cycle are left out, first those of a population that is declared later
    than the reader: they are read as the iteration before left them. `projections` are those of the phase of interest,
    and `errors` says whether objectives drive their error populations in it.
    """
    edges = {(p.pre, p.post): p.name for p in projections if p.compartment == "soma" and not p.delay}
    edges |= {(o.output, o.error): o.loss for o in motif.objectives if errors}
    gates = {(gate, p.name): GATE for p in motif.populations for gate in gates_of(p)} | edges
    if [phase.repeat for phase in motif.phases] == [1] or cycle_in([], edges):
        return gates
    rank = {p.name: k for k, p in enumerate(motif.populations)}
    backward = [(a, b) for a, b in gates if rank.get(a, 0) >= rank.get(b, 0)]  # a is declared later
    forward = [pair for pair in gates if pair not in backward]
    return {pair: gates[pair] for pair in without_cycles([*edges, *forward, *backward])}


def _graph(names: Iterable[str], edges: Edges) -> nx.DiGraph:
    import networkx as nx  # late: only drawings and motifs with a cycle need networkx

    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((a, b, {"via": via}) for (a, b), via in edges.items())
    return graph


def cycle_in(names: Iterable[str], edges: Edges) -> str | None:
    """Return the path of a cycle, such as ``a -[W0]-> b -[gate]-> a``, or None."""
    import networkx as nx

    try:
        path = nx.find_cycle(_graph(names, edges))
    except nx.NetworkXNoCycle:
        return None
    return path[0][0] + "".join(f" -[{edges[a, b]}]-> {b}" for a, b in path)


def without_cycles(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the edges without those that close a cycle with earlier ones."""
    import networkx as nx

    full: nx.DiGraph = nx.DiGraph(edges)
    component = {name: k for k, names in enumerate(nx.strongly_connected_components(full)) for name in names}
    graph = nx.DiGraph()
    graph.add_nodes_from(full)
    for a, b in edges:
        if component[a] != component[b] or not nx.has_path(graph, b, a):
            graph.add_edge(a, b)
    return list(graph.edges)


def in_order(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return a topological order, with ties broken by the order of `names`.

    Populations on a cycle, or downstream of one, are left out.
    """
    rank = {name: k for k, name in enumerate(names)}
    successors: dict[str, list[str]] = {name: [] for name in names}
    n_missing = dict.fromkeys(names, 0)
    for before, after in edges:
        if before in rank and after in rank:
            successors[before].append(after)
            n_missing[after] += 1
    ready = [(rank[name], name) for name, n in n_missing.items() if n == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        _, name = heapq.heappop(ready)
        order.append(name)
        for after in successors[name]:
            n_missing[after] -= 1
            if n_missing[after] == 0:
                heapq.heappush(ready, (rank[after], after))
    return tuple(order)
