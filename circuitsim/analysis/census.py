r"""How often the reciprocal four-synapse motif occurs, against random graphs with the same degrees::

    a = up_l --W--> b = up_{l+1}
       | Vt            ^ V
       v               |
    d = down_l <-Wt-- c = down_{l+1}

Two sources (a, c), two targets (b, d), all four synapses: in an unlabelled graph this is the bi-fan.

Source: Liao et al. (2024), arXiv 2412.20018, conclusion (the motif); Milo et al. (2002), Science 298:824 (bi-fan,
z-scores); Strona et al. (2014), Nature Communications 5:4114 (curveball shuffling); the counts as matrix products are
ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import AnalysisError

Mask = NDArray[np.bool_]  # [post, pre]
KINDS = ("W", "V", "Vt", "Wt")


@dataclass(frozen=True)
class Census:
    """A count, and the same count in random graphs of the same degrees.

    Args:
        observed: how many quadruples have all four synapses.
        random: the counts in the random graphs, shape ``[graph]``.
    """

    observed: int
    random: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Observed count over the random graphs' mean; NaN where that is 0."""
        return float(self.observed / self.random.mean()) if self.random.mean() > 0 else float("nan")

    @property
    def z(self) -> float:
        """(observed - mean) / sample standard deviation of the random graphs; NaN where they are all alike."""
        deviation = self.random.std(ddof=1)
        return float((self.observed - self.random.mean()) / deviation) if deviation > 0 else float("nan")


def count_square(W: Mask, V: Mask, Vt: Mask, Wt: Mask) -> int:
    """Quadruples (a, b, c, d) with all of W[b, a], V[b, c], Vt[d, a], Wt[d, c].

    Args:
        W, V, Vt, Wt: presence of each synapse, boolean ``[post, pre]``: ``[b, a]``, ``[b, c]``, ``[d, a]``, ``[d, c]``.
    """
    w, v, vt, wt = (mask.astype(np.float64) for mask in (W, V, Vt, Wt))
    return round(float(((w.T @ v) * (vt.T @ wt)).sum()))  # targets that a and c share, in each population


def coherent_share(W: Any, V: Any, Vt: Any, Wt: Any) -> float:
    """Share of the quadruples in which W[b, a] Vt[d, a] and V[b, c] Wt[d, c] have the same sign; 1/2 by chance.

    Theorem 1 has the sums of these two products equal at rest.

    Args:
        W, V, Vt, Wt: weights ``[post, pre]``, 0 where there is no synapse.
    Returns:
        NaN where there is no quadruple.
    """
    w, v, vt, wt = (np.sign(np.asarray(weights, dtype=np.float64)) for weights in (W, V, Vt, Wt))
    n = float(((np.abs(w).T @ np.abs(v)) * (np.abs(vt).T @ np.abs(wt))).sum())
    surplus = float(((w.T @ v) * (vt.T @ wt)).sum())  # coherent minus incoherent
    return (1 + surplus / n) / 2 if n > 0 else float("nan")


def count_bifans(adjacency: Mask) -> int:
    """Unordered pairs of sources times unordered pairs of targets, with all four edges.

    Args:
        adjacency: boolean ``[post, pre]``, square. Self-loops do not count.
    """
    a = adjacency.astype(np.float64)
    np.fill_diagonal(a, 0.0)
    shared = np.rint(a.T @ a)
    pairs = shared * (shared - 1) / 2
    return round(float((pairs.sum() - np.trace(pairs)) / 2))


def shuffled(mask: Mask, rng: np.random.Generator, *, loops: bool = True) -> Mask:
    """A random projection in which every neuron has as many synapses in and out as in `mask`.

    Five trades per row: two rows pool the columns that only one of them has, and deal them out again (the curveball
    algorithm: each trade is a batch of edge swaps).

    Args:
        mask: boolean ``[post, pre]``; not changed.
        rng: draws the trades.
        loops: False keeps the diagonal as it is, for a square adjacency whose neurons do not contact themselves.
    """
    found = mask.copy()
    rows = np.flatnonzero(mask.any(axis=1))  # a trade with an empty row changes nothing
    n = len(rows)
    if n < 2:
        return found
    first = rng.integers(n, size=5 * n)
    second = (first + rng.integers(1, n, size=5 * n)) % n
    for i, j in zip(rows[first], rows[second], strict=True):
        differ = found[i] != found[j]
        if not loops:
            differ[[i, j]] = False
        where = np.flatnonzero(differ)
        dealt = rng.permutation(found[i, where])
        found[i, where], found[j, where] = dealt, ~dealt
    return found


def square_census(masks: Mapping[str, Mask], *, n_random: int = 100, seed: int = 0) -> Census:
    """The census of one square of populations, each projection shuffled on its own.

    Args:
        masks: "W", "V", "Vt", "Wt" -> boolean ``[post, pre]``, as in `count_square`.
        n_random: random graphs, at least 2.
        seed: draws them.
    Returns:
        The count, and those of the random graphs.
    Raises:
        AnalysisError: a mask is missing, shapes do not fit, or fewer than 2 random graphs are asked for.
    Example:
        >>> import numpy as np
        >>> from circuitsim.analysis import square_census
        >>> masks = {kind: np.eye(6) for kind in ("W", "V", "Vt", "Wt")}
        >>> square_census(masks, n_random=20).observed
        6

    Source: Liao et al. (2024), arXiv 2412.20018, conclusion; Strona et al. (2014) for the random graphs.
    """
    if set(masks) != set(KINDS):
        raise AnalysisError(f"square_census needs the masks {list(KINDS)} (got {sorted(masks)})")
    found = {kind: np.asarray(masks[kind], dtype=bool) for kind in KINDS}
    shapes = {kind: mask.shape for kind, mask in found.items()}
    (b, a), (d, c) = shapes["W"], shapes["Wt"]
    if shapes["V"] != (b, c) or shapes["Vt"] != (d, a):
        raise AnalysisError(f"square_census: shapes do not fit: {shapes}; V must be {(b, c)} and Vt {(d, a)}")

    def draw(rng: np.random.Generator) -> int:
        return count_square(**{kind: shuffled(mask, rng) for kind, mask in found.items()})

    return Census(count_square(**found), _random(draw, n_random, seed))


def graph_census(graph: nx.DiGraph, *, projection: str | None = None, n_random: int = 100, seed: int = 0) -> Census:
    """The census of any directed graph: bi-fans, wherever they are.

    Args:
        graph: a networkx DiGraph or MultiDiGraph. Self-loops are left out, parallel edges count once.
        projection: edge attribute that says which projection an edge belongs to; degrees are then kept within each
            projection. None: within each key of a MultiDiGraph, else within the whole graph.
        n_random, seed: as in `square_census`.
    Returns:
        The count, and those of the random graphs.
    Raises:
        AnalysisError: the graph is not directed, an edge lacks the attribute, or too few random graphs are asked for.
    Example:
        >>> import networkx as nx
        >>> from circuitsim.analysis import graph_census
        >>> graph_census(nx.DiGraph([(0, 2), (0, 3), (1, 2), (1, 3)]), n_random=20).observed
        1

    Source: Milo et al. (2002), Science 298:824.
    """
    if not graph.is_directed():
        raise AnalysisError("graph_census needs a directed graph; use nx.DiGraph(edges)")
    classes = list(_classes(graph, projection).values())

    def draw(rng: np.random.Generator) -> int:
        return count_bifans(_union([shuffled(mask, rng, loops=False) for mask in classes], len(graph)))

    return Census(count_bifans(_union(classes, len(graph))), _random(draw, n_random, seed))


def _classes(graph: nx.DiGraph, projection: str | None) -> dict[Any, Mask]:
    index = {node: k for k, node in enumerate(graph)}
    masks: dict[Any, Mask] = {}
    for edge in graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True):
        pre, post, attributes = edge[0], edge[1], edge[-1]
        if projection is not None and projection not in attributes:
            raise AnalysisError(f"edge {pre!r} -> {post!r} has no attribute {projection!r} (known: {list(attributes)})")
        name = attributes[projection] if projection is not None else edge[2] if graph.is_multigraph() else None
        if pre != post:
            masks.setdefault(name, np.zeros((len(graph), len(graph)), dtype=bool))[index[post], index[pre]] = True
    return masks


def _union(masks: list[Mask], n: int) -> Mask:
    return np.any(masks, axis=0) if masks else np.zeros((n, n), dtype=bool)


def _random(draw: Callable[[np.random.Generator], int], n_random: int, seed: int) -> NDArray[np.float64]:
    if n_random < 2:
        raise AnalysisError(f"n_random must be at least 2, for a standard deviation (got {n_random})")
    rng = np.random.default_rng(seed)
    return np.array([draw(rng) for _ in range(n_random)], dtype=np.float64)
