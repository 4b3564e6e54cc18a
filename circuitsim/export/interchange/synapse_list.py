"""Lists of synapses from other programs, which become connectomes of the form that `Circuit.connectome` returns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import networkx as nx

from circuitsim.errors import ParameterError

Repeated = Literal["sum"] | None  # what becomes of synapses that a projection has twice between two neurons


def check_repeated(owner: str, repeated: Any) -> None:
    """Raise a ParameterError if `repeated` is unknown."""
    if repeated not in (None, "sum"):
        raise ParameterError(f'{owner}: repeated must be None or "sum" (got {repeated!r})')


def add_neurons(connectome: nx.MultiDiGraph, population: str, n: int) -> None:
    """Add the neurons 0 to n - 1 of a population, unless they are there already."""
    connectome.add_nodes_from(((population, index) for index in range(n)), population=population)


def add_synapses(
    connectome: nx.MultiDiGraph,
    projection: str,
    ends: tuple[str, str],
    synapses: Iterable[tuple[int, int, float]],
    repeated: Repeated,
) -> None:
    """Add the synapses of a projection.

    Args:
        connectome: the graph, which holds the neurons.
        projection: the key of the edges.
        ends: the populations (pre, post).
        synapses: the indices of the two neurons and the weight.
        repeated: "sum" adds the weights of a pair that occurs more than once; None refuses it.
    Raises:
        ValueError: a weight is not finite, or a pair occurs more than once and `repeated` is None.
    """
    found = [((ends[0], pre), (ends[1], post), weight) for pre, post, weight in synapses]
    infinite = [synapse for synapse in found if not math.isfinite(synapse[2])]
    if infinite:
        pre, post, weight = infinite[0]
        raise ValueError(
            f"{projection!r}: {len(infinite)} weights are not finite, the first ({weight}) from "
            f"{_label(connectome, pre)} to {_label(connectome, post)}"
        )
    counts = Counter((pre, post) for pre, post, _ in found)
    twice = [pair for pair, n in counts.items() if n > 1]
    if twice and repeated is None:
        pre, post = twice[0]
        raise ValueError(
            f"{projection!r}: {len(twice)} pairs of neurons have more than one synapse, the first from "
            f"{_label(connectome, pre)} to {_label(connectome, post)} ({counts[twice[0]]} of them); repeated='sum' "
            "adds their weights"
        )
    connectome.add_edges_from(((*pair, projection) for pair in counts), weight=0.0)
    for pre, post, weight in found:
        connectome.edges[pre, post, projection]["weight"] += weight


def _label(connectome: nx.MultiDiGraph, neuron: tuple[str, int]) -> str:
    return repr(connectome.nodes[neuron].get("label", neuron))
