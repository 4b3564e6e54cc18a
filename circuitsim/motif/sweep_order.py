"""The order in which populations get their activity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import networkx as nx

from circuitsim.motif.activation import activation_expression

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif
    from circuitsim.motif.population import Population

_GATE = re.compile(r"\b(?:activity|slope)_(\w+)")


def gates_of(population: Population) -> tuple[str, ...]:
    """Names of the populations that this one's activation reads."""
    if not isinstance(text := activation_expression(population.activation), str):
        return ()
    return tuple(dict.fromkeys(_GATE.findall(text)))


def dependency_graph(motif: Motif, errors: bool = True) -> nx.DiGraph:
    """An edge a -> b where b's activity needs a's: soma projections, gates, objectives. `via` says which.

    Args:
        motif: as wired in the phase that is asked about.
        errors: whether objectives drive their error populations.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(population.name for population in motif.populations)
    for projection in motif.projections:
        if projection.target == "soma":
            graph.add_edge(projection.pre, projection.post, via=projection.name)
    for population in motif.populations:
        for gate in gates_of(population):
            graph.add_edge(gate, population.name, via="gate")
    for objective in motif.objectives if errors else ():
        graph.add_edge(objective.output, objective.error, via=objective.loss)
    return graph


def find_cycle(motif: Motif, errors: bool = True) -> str | None:
    """The path of a cycle, such as ``a -[W0]-> b -[gate]-> a``, or None."""
    graph = dependency_graph(motif, errors)
    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return None
    return edges[0][0] + "".join(f" -[{graph.edges[a, b]['via']}]-> {b}" for a, b in edges)


def sweep_order(motif: Motif, errors: bool = True) -> tuple[str, ...]:
    """Topological order; ties are broken by the order of declaration. The motif has no cycle."""
    rank = {population.name: k for k, population in enumerate(motif.populations)}
    return tuple(nx.lexicographical_topological_sort(dependency_graph(motif, errors), key=rank.__getitem__))
