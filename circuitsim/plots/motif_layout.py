"""The layout of populations and losses in the drawing of a motif, in inches, with x to the right and y upwards.

Layers follow the sweep, and partners of the two streams share a place.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx
import numpy as np
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from circuitsim.motif import Motif, Population
from circuitsim.motif.expressions import reads_drive
from circuitsim.motif.population import gates_of
from circuitsim.motif.wiring import dependencies, in_order, wirings, without_cycles
from circuitsim.plots import motif_captions as captions
from circuitsim.plots.picture import text_size
from circuitsim.plots.style import LABEL_POINTS, NAME_POINTS, SIMPLE_POINTS, SMALL_POINTS

Array = NDArray[np.float64]

DEEP = 5  # rows above which the ascending sweep runs to the right, because slides are wide
BIAS_SIZE = 0.36
HEAD_AND_STUB = 0.75  # the length of a wire that its label must leave free
RIGHT, UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])


@dataclass(frozen=True)
class Layout:
    """Boxes of everything that is drawn as a box, and directions, which are unit vectors of shape ``[2]``."""

    boxes: dict[str, Bbox]  # of populations
    losses: tuple[Bbox, ...]  # one box for each objective, in order
    biases: frozenset[str]  # names of the bias units, which are drawn as small circles
    outwards: dict[str, Array]  # from a population away from the other stream
    forward: Array  # of the ascending sweep
    across: Array  # from the ascending to the descending stream


class Place(NamedTuple):
    """A population's place in its stream."""

    layer: int  # counted in the direction of the ascending sweep
    lane: int  # counted outwards from 0, which is next to the other stream


def arrange(motif: Motif, flow: str | None = None, simple: bool = False) -> Layout:
    """Lay out a valid motif, with streams as columns ("up") or, for deep motifs, as rows ("right"). A `simple` drawing
    has room only for the names of populations."""
    where = places(motif)
    rows = {name: (place.layer, 0) for name, place in where.items()} if simple else _rows(motif, where)
    upward = len(set(rows.values())) <= DEEP if flow is None else flow == "up"
    forward, across = (UP, RIGHT) if upward else (RIGHT, UP)
    outwards = {p.name: -across if p.stream == "ascending" else across for p in motif.populations}
    node = _node_size(motif, simple)
    losses = [text_size(captions.loss_text(o), SMALL_POINTS) + np.array([0.3, 0.14]) for o in motif.objectives]
    layer, gap, lane, bias = _distances(motif, node, losses, forward, across, simple)

    judged = {rows[end] for o in motif.objectives for end in (o.output, o.error)}  # rows with a loss beyond them
    along = dict.fromkeys(sorted(set(rows.values())), 0.0)
    for last, row in itertools.pairwise(along):
        near = row[0] == last[0] and last not in judged
        along[row] = along[last] + (node @ forward + 0.32 if near else layer)
    boxes = {
        name: _box(along[rows[name]] * forward + (gap / 2 + place.lane * lane) * outwards[name], node)
        for name, place in where.items()
    }
    crowd: Counter[str] = Counter()
    biases = [p.name for p in motif.populations if is_bias(motif, p)]
    for name in biases:  # on the outer side of what they drive; further ones alternate between the two sides
        target = next(p.post for p in motif.projections if p.pre == name)
        aside = (-1) ** crowd[target] * ((crowd[target] + 1) // 2) * (BIAS_SIZE + 0.06)
        boxes[name] = _box(middle(boxes[target]) + bias * outwards[target] + aside * forward, np.full(2, BIAS_SIZE))
        crowd[target] += 1
    placed = _loss_boxes(motif, boxes, losses, layer, forward)
    return Layout(boxes, placed, frozenset(biases), outwards, forward, across)


def middle(box: Bbox) -> Array:
    """The centre of a box, shape ``[2]``."""
    return np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2


def half_size(box: Bbox) -> Array:
    """Half the width and height of a box, shape ``[2]``."""
    return np.array([box.width, box.height]) / 2


def _distances(
    motif: Motif, node: Array, losses: list[Array], forward: Array, across: Array, simple: bool
) -> tuple[float, float, float, float]:
    """The distances between centres at which every label fits: between layers, between the streams, between the lanes
    of a stream, and from a population to its bias unit."""
    texts = [] if simple else [captions.projection_text(p, narrow=bool(forward[0])) for p in motif.projections]
    label = np.max([np.zeros(2), *(text_size(text, LABEL_POINTS, True) for text in texts)], axis=0)
    parallel = max(Counter(frozenset((p.pre, p.post)) for p in motif.projections).values(), default=1)
    wire = 0.5 if simple else HEAD_AND_STUB + 0.24 * max(0, parallel - 2)  # labels of parallel wires are stacked
    layer = np.max([(node + label) @ forward + wire, *(size @ forward + 0.6 for size in losses)])
    gap = node @ across + np.max([1.6, label @ across + wire + 0.1, *(size @ across for size in losses)])
    bias = (node / 2 + label) @ across + HEAD_AND_STUB + BIAS_SIZE / 2
    lane = node @ across + max(0.3 if simple else 1.0, float(label @ across) + wire)
    if any(is_bias(motif, p) for p in motif.populations):
        lane += label @ across + HEAD_AND_STUB
    return float(layer), float(gap), float(lane), float(bias)


def _rows(motif: Motif, where: dict[str, Place]) -> dict[str, tuple[int, int]]:
    """The row of each population. Populations with a projection to the other stream have rows of their own, so that
    straight lines join partners in any lane."""
    streams = {p.name: p.stream for p in motif.populations}
    crossing = {end for p in motif.projections if streams[p.pre] != streams[p.post] for end in (p.pre, p.post)}
    crossing |= {end for o in motif.objectives for end in (o.output, o.error)}
    return {name: (place.layer, place.lane if name in crossing else 0) for name, place in where.items()}


def _loss_boxes(
    motif: Motif, boxes: dict[str, Bbox], sizes: list[Array], layer: float, forward: Array
) -> tuple[Bbox, ...]:
    """The boxes of losses, between output and error and half a layer beyond them, or further to avoid overlaps."""
    placed: list[Bbox] = []
    for objective, size in zip(motif.objectives, sizes, strict=True):
        ends = boxes[objective.output], boxes[objective.error]
        centre = (middle(ends[0]) + middle(ends[1])) / 2
        top = max(float((middle(box) + half_size(box)) @ forward) for box in ends)
        reach = max(top - half_size(ends[0]) @ forward + layer / 2, top + size @ forward / 2 + 0.25)
        box = _box(centre + (reach - centre @ forward) * forward, size)
        while any(Bbox.intersection(box.padded(0.05), other) for other in (*placed, *boxes.values())):
            box = box.translated(*(0.2 * forward))
        placed.append(box)
    return tuple(placed)


def _node_size(motif: Motif, simple: bool) -> Array:
    """The common width and height of all boxes."""
    texts = [captions.population_text(motif, p) for p in motif.populations if not is_bias(motif, p)]
    if simple:
        return np.max([text_size(name, SIMPLE_POINTS, True) for name, _ in texts], axis=0) + np.array([0.16, 0.1])
    name = np.max([text_size(name, NAME_POINTS, True) for name, _ in texts], axis=0)
    below = np.max([text_size(below, SMALL_POINTS) for _, below in texts], axis=0)
    return np.array([max(1.3, name[0] + 0.35, below[0] + 0.35), name[1] + below[1] + 0.28])


def _box(centre: Array, size: Array) -> Bbox:
    return Bbox([centre - size / 2, centre + size / 2])


# -- layers and lanes


def is_bias(motif: Motif, population: Population) -> bool:
    """Whether a population is a single unit of constant activity. It is drawn small, beside what it drives."""
    constant = population.size == 1 and not reads_drive(motif, population) and not gates_of(population)
    touched = [p for p in motif.projections if population.name in (p.pre, p.post)] if constant else []
    owned = any(p.pre == population.name for p in touched) and all(p.post != population.name for p in touched)
    return owned and not any(population.name in (o.output, o.error) for o in motif.objectives)


def places(motif: Motif) -> dict[str, Place]:
    """The place of every population that is not a bias unit: layers follow the sweep, partners of the two streams
    share a layer and, where they can, a lane. No two populations of a stream share a place."""
    nodes = [p for p in motif.populations if not is_bias(motif, p)]
    names = [p.name for p in motif.populations]
    edges = _dependencies(motif)
    order = in_order(names, edges)
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(names)
    layers = _ascending_layers(graph.subgraph([p.name for p in nodes if p.stream == "ascending"]))
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
    return list(dict.fromkeys([other for other in onto if other in back] or back or onto))


def _dependencies(motif: Motif) -> list[tuple[str, str]]:
    """Which population is computed from which, over all phases. If the phases together form a cycle, the first phase's
    sweep is kept, and dependencies of later phases that oppose it are left out."""
    sweeps = [dependencies(motif, w.projections.values(), w.phase.errors) for w in wirings(motif)]
    sweeps.append(dependencies(motif, motif.projections))
    return without_cycles([edge for sweep in sweeps for edge in sweep])


def _ascending_layers(graph: nx.DiGraph) -> dict[str, int]:
    """Layers by the longest path from an input. An input is placed just before the first layer that reads it."""
    layers = {name: k for k, names in enumerate(nx.topological_generations(graph)) for name in names}
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
        near = partners(motif, name) if motif.population(name).stream == "descending" else []
        drivers = {p.pre for p in motif.projections if p.post == name and p.compartment == "soma"}
        wishes[name] = [found[other].lane for other in near if other in found]
        wishes[name] += sorted(found[other].lane for other in drivers if other in found)
    taken: set[int] = set()
    for name in sorted(names, key=lambda name: not wishes[name]):  # populations with preferred lanes first
        lane = next(lane for lane in (*wishes[name], *range(len(names))) if lane not in taken)
        taken.add(lane)
        found[name] = Place(layer, lane)
