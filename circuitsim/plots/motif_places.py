"""The layer and lane of each population. Layers follow the sweep, and partners of the two streams share a place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from circuitsim.motif import Motif, Population
from circuitsim.motif.expressions import reads_drive
from circuitsim.motif.sweep_order import dependencies, gates_of, in_order, without_cycles
from circuitsim.motif.wiring import wirings


@dataclass(frozen=True)
class Place:
    """A population's place in its stream.

    Args:
        layer: the layer, counted in the direction of the ascending sweep.
        lane: the lane, counted outwards from 0, which is next to the other stream.
    """

    layer: int
    lane: int


def is_bias(motif: Motif, population: Population) -> bool:
    """Whether a population is a single unit of constant activity. It is drawn small, beside what it drives."""
    constant = population.size == 1 and not reads_drive(motif, population) and not gates_of(population)
    touched = [p for p in motif.projections if population.name in (p.pre, p.post)] if constant else []
    owned = any(p.pre == population.name for p in touched) and all(p.post != population.name for p in touched)
    return owned and not any(population.name in (o.output, o.error) for o in motif.objectives)


def places(motif: Motif) -> dict[str, Place]:
    """The place of every population that is not a bias unit: layers follow the sweep, partners of the two streams
    share a layer and, where they can, a lane. No two populations of a stream share a place.
    """
    nodes = [p for p in motif.populations if not is_bias(motif, p)]
    names = [p.name for p in motif.populations]
    edges = _dependencies(motif)
    order = in_order(names, edges)
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(names)
    layers = _ascending_layers(graph.subgraph([p.name for p in nodes if p.stream == "ascending"]), order)
    descending = {p.name for p in nodes if p.stream == "descending"}
    layers |= _descending_layers(motif, layers, [name for name in order if name in descending])
    found: dict[str, Place] = {}
    for stream in ("ascending", "descending"):
        members = [p.name for p in nodes if p.stream == stream]
        for layer in sorted({layers[name] for name in members}):
            _fill_layer(motif, layer, [name for name in members if layers[name] == layer], found)
    return found


def partners(motif: Motif, name: str) -> list[str]:
    """Populations of the other stream with dendritic projections from and to this one, or else in one direction."""
    stream = motif.population(name).stream
    dendritic = [p for p in motif.projections if p.compartment == "dendrite"]
    onto = [p.post for p in dendritic if p.pre == name and motif.population(p.post).stream != stream]
    back = [p.pre for p in dendritic if p.post == name and motif.population(p.pre).stream != stream]
    return _unique([other for other in onto if other in back] or back or onto)


def _dependencies(motif: Motif) -> list[tuple[str, str]]:
    """Which population is computed from which, over all phases. If the phases together form a cycle, the first phase's
    sweep is kept, and dependencies of later phases that oppose it are left out.
    """
    sweeps = [dependencies(motif, w.projections.values(), w.phase.errors) for w in wirings(motif)]
    sweeps.append(dependencies(motif, motif.projections))
    return without_cycles([edge for sweep in sweeps for edge in sweep])


def _ascending_layers(graph: nx.DiGraph, order: Iterable[str]) -> dict[str, int]:
    """Layers by the longest path from an input. An input is placed just before the first layer that reads it."""
    layers: dict[str, int] = {}
    for name in filter(graph.has_node, order):
        layers[name] = max((layers[pre] + 1 for pre in graph.predecessors(name)), default=0)
    for name in layers:
        if not graph.in_degree(name) and graph.out_degree(name):
            layers[name] = min(layers[post] for post in graph.successors(name)) - 1
    return layers


def _descending_layers(motif: Motif, ascending: dict[str, int], order: Iterable[str]) -> dict[str, int]:
    """The layer of each descending population: that of its output for an error, else that of its partners, else one
    below what drives it."""
    layers: dict[str, int] = {}
    outputs = {o.error: o.output for o in motif.objectives}
    for name in order:
        near = [outputs[name]] if name in outputs else partners(motif, name)
        beside = [ascending[other] for other in near if other in ascending]
        above = [layers[p.pre] - 1 for p in motif.projections if p.post == name and p.pre in layers and p.pre != name]
        layers[name] = round(sum(beside) / len(beside)) if beside else min(above, default=0)
    return layers


def _fill_layer(motif: Motif, layer: int, names: list[str], found: dict[str, Place]) -> None:
    """Give each population of a layer the lane of its partner, or of what drives it, if that lane is free."""
    wishes: dict[str, list[int]] = {}
    for name in names:
        descending = motif.population(name).stream == "descending"
        near = partners(motif, name) if descending else []
        drivers = {p.pre for p in motif.projections if p.post == name and p.compartment == "soma"}
        wishes[name] = [found[other].lane for other in near if other in found]
        wishes[name] += sorted(found[other].lane for other in drivers if other in found)
    taken: dict[int, set[int]] = defaultdict(set)
    for name in sorted(names, key=lambda name: not wishes[name]):  # populations with preferred lanes first
        lane = next(lane for lane in (*wishes[name], *range(len(names))) if lane not in taken[layer])
        taken[layer].add(lane)
        found[name] = Place(layer, lane)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
