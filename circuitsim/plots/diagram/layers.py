"""Which layer and lane each population takes: layers follow the sweep, partners of the two streams share a place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from circuitsim.motif import Motif, Population
from circuitsim.motif.roles import reads_drive
from circuitsim.motif.sweep_order import dependency_graph, gates_of, sweep_order


@dataclass(frozen=True)
class Place:
    """Where a population stands in its stream.

    Args:
        layer: counted in the direction of the ascending sweep.
        lane: 0 for the lane next to the other stream, then outwards.
    """

    layer: int
    lane: int


def is_bias(motif: Motif, population: Population) -> bool:
    """Whether it is one unit of constant activity that drives something: drawn small, beside what it drives."""
    constant = population.size == 1 and not reads_drive(population) and not gates_of(population)
    touched = [p for p in motif.projections if population.name in (p.pre, p.post)]
    owned = any(p.pre == population.name for p in touched) and all(p.post != population.name for p in touched)
    return constant and owned and not any(population.name in (o.output, o.error) for o in motif.objectives)


def places(motif: Motif) -> dict[str, Place]:
    """The place of every population that is not a bias unit; no two of a stream share one."""
    nodes = [p for p in motif.populations if not is_bias(motif, p)]
    layers = _ascending_layers(motif, [p.name for p in nodes if p.stream == "ascending"])
    layers |= _descending_layers(motif, layers, {p.name for p in nodes if p.stream == "descending"})
    found: dict[str, Place] = {}
    for stream in ("ascending", "descending"):
        members = [p.name for p in nodes if p.stream == stream]
        for layer in sorted({layers[name] for name in members}):
            _fill_layer(motif, layer, [name for name in members if layers[name] == layer], found)
    return found


def _ascending_layers(motif: Motif, names: list[str]) -> dict[str, int]:
    """The longest path from an input; an input that is needed late stands late."""
    graph = dependency_graph(motif).subgraph(names)
    layers: dict[str, int] = {}
    for name in nx.topological_sort(graph):
        layers[name] = max((layers[pre] + 1 for pre in graph.predecessors(name)), default=0)
    for name in names:
        if not graph.in_degree(name) and graph.out_degree(name):
            layers[name] = min(layers[post] for post in graph.successors(name)) - 1
    return layers


def _descending_layers(motif: Motif, ascending: dict[str, int], names: set[str]) -> dict[str, int]:
    """The layer of the output whose error it is, or of its partner, or one below what drives it."""
    layers: dict[str, int] = {}
    outputs = {o.error: o.output for o in motif.objectives}
    for name in sweep_order(motif):
        if name not in names:
            continue
        near = [outputs[name]] if name in outputs else partners(motif, name)
        beside = [ascending[other] for other in near if other in ascending]
        above = [layers[p.pre] - 1 for p in motif.projections if p.post == name and p.pre in layers and p.pre != name]
        layers[name] = round(sum(beside) / len(beside)) if beside else min(above, default=0)
    return layers


def partners(motif: Motif, name: str) -> list[str]:
    """Populations of the other stream with dendritic projections from and to this one; failing that, either."""
    stream = motif.population(name).stream
    dendritic = [p for p in motif.projections if p.target == "dendrite"]
    onto = [p.post for p in dendritic if p.pre == name and motif.population(p.post).stream != stream]
    back = [p.pre for p in dendritic if p.post == name and motif.population(p.pre).stream != stream]
    return _unique([other for other in onto if other in back] or back or onto)


def _fill_layer(motif: Motif, layer: int, names: list[str], found: dict[str, Place]) -> None:
    """Give each population of a layer the lane of its partner or of what drives it, if it is still free."""
    wishes: dict[str, list[int]] = {}
    for name in names:
        descending = motif.population(name).stream == "descending"
        near = partners(motif, name) if descending else []
        near += [p.pre for p in motif.projections if p.post == name and p.target == "soma"]
        wishes[name] = [found[other].lane for other in near if other in found]
    taken: dict[int, set[int]] = defaultdict(set)
    for name in sorted(names, key=lambda name: not wishes[name]):  # stable: those with a wish first
        free = (lane for lane in (*wishes[name], *range(len(names))) if lane not in taken[layer])
        lane = next(free)
        taken[layer].add(lane)
        found[name] = Place(layer, lane)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
