r"""Counts of the reciprocal four-synapse motif, compared with random graphs of the same degrees::

    a = up_l --W--> b = up_{l+1}
       | Vt            ^ V
       v               |
    d = down_l <-Wt-- c = down_{l+1}

Both sources (a, c) project to both targets (b, d). In an unlabelled graph this motif is the bi-fan.

Source: Liao et al. (2024), arXiv 2412.20018, conclusion (the motif); Milo et al. (2002), Science 298:824 (bi-fan,
z-scores); Strona et al. (2014), Nature Communications 5:4114 (curveball shuffling); Erdős, Miklós & Toroczkai (2010),
Electronic Journal of Combinatorics 17:R66 (why directed graphs without loops need turned triangles too). Counting by
matrix products, and trading rows and columns in turn, are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from circuitsim.errors import AnalysisError
from circuitsim.whole import whole

if TYPE_CHECKING:
    import networkx as nx

Mask = NDArray[np.bool_]  # [post, pre]
KINDS = ("W", "V", "Vt", "Wt")
# trades of each row and of each column; 16 suffice from the most and the least assortative network of 400 hubs
SWEEPS = 32


@dataclass(frozen=True)
class Census:
    """A motif count, and the same count in random graphs with the same degrees.

    Args:
        observed: the number of quadruples that have all four synapses.
        random: the counts in the random graphs, shape ``[graph]``.
    """

    observed: int
    random: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """The observed count divided by the mean of the random graphs; NaN if the mean is 0."""
        return float(self.observed / self.random.mean()) if self.random.mean() > 0 else float("nan")

    @property
    def z(self) -> float:
        """(observed - mean) / sample standard deviation of the random graphs; NaN if their counts are all equal."""
        deviation = self.random.std(ddof=1)
        return float((self.observed - self.random.mean()) / deviation) if deviation > 0 else float("nan")


def count_square(W: Mask, V: Mask, Vt: Mask, Wt: Mask) -> int:
    """Count the quadruples (a, b, c, d) that have all of the synapses W[b, a], V[b, c], Vt[d, a] and Wt[d, c]."""
    w, v, vt, wt = (mask.astype(np.float64) for mask in (W, V, Vt, Wt))
    return round(float(((w.T @ v) * (vt.T @ wt)).sum()))  # the targets that a and c share, in each population


def coherent_share(W: Any, V: Any, Vt: Any, Wt: Any) -> float:
    """Return the fraction of quadruples in which W[b, a] Vt[d, a] and V[b, c] Wt[d, c] have the same sign.

    By chance the fraction is 1/2. By Theorem 1 the sums of these two products are equal at rest. Weights are 0 where
    there is no synapse; the fraction is NaN if there is no quadruple.
    """
    w, v, vt, wt = (np.sign(np.asarray(weights, dtype=np.float64)) for weights in (W, V, Vt, Wt))
    n = float(((np.abs(w).T @ np.abs(v)) * (np.abs(vt).T @ np.abs(wt))).sum())
    surplus = float(((w.T @ v) * (vt.T @ wt)).sum())  # coherent minus incoherent
    return (1 + surplus / n) / 2 if n > 0 else float("nan")


def count_bifans(adjacency: Mask) -> int:
    """Count the unordered pairs of sources and of targets with all four edges; self-loops do not count."""
    a = adjacency.astype(np.float64)
    np.fill_diagonal(a, 0.0)
    shared = np.rint(a.T @ a)
    pairs = shared * (shared - 1) / 2
    return round(float((pairs.sum() - np.trace(pairs)) / 2))


def shuffled(mask: Mask, rng: np.random.Generator, *, loops: bool = True) -> Mask:
    """Draw a random projection in which every neuron has as many incoming and outgoing synapses as in `mask`.

    In a trade, two rows pool the columns that only one of them has and deal them out again at random (the curveball
    algorithm). Trades between rows hardly change a row that is nearly full, and those between columns hardly change
    a nearly full column, so in networks with hubs either kind alone takes very long; here they alternate. Without
    `loops`, the diagonal of a square adjacency matrix stays as it is.
    """
    found = np.array(mask, dtype=bool)
    for _ in range(SWEEPS):
        for view in (found, found.T):
            _trade(view, rng, loops)
        if not loops:
            _turn_triangles(found, rng)
    return found


def _trade(found: Mask, rng: np.random.Generator, loops: bool) -> None:
    """Let each row trade with one other row, both drawn at random."""
    rows = rng.permutation(np.flatnonzero(found.any(axis=1)))  # a trade with an empty row changes nothing
    n = len(rows) // 2
    i, j = rows[:n], rows[n : 2 * n]
    differ = found[i] != found[j]
    if not loops:
        differ[np.arange(n), i] = differ[np.arange(n), j] = False
    pair, column = np.nonzero(differ)
    order = np.argsort(pair + rng.random(len(pair)))  # a random order within each pair
    dealt = found[i[pair], column][order]
    found[i[pair], column], found[j[pair], column] = dealt, ~dealt


def _turn_triangles(found: Mask, rng: np.random.Generator) -> None:
    """Reverse the cycles a -> b -> c -> a among random triples. Without loops, trades alone cannot do this."""
    a, b, c = rng.permutation(len(found))[: len(found) // 3 * 3].reshape(3, -1)
    is_cycle = found[b, a] & found[c, b] & found[a, c] & ~(found[a, b] | found[b, c] | found[c, a])
    a, b, c = a[is_cycle], b[is_cycle], c[is_cycle]
    found[b, a] = found[c, b] = found[a, c] = False
    found[a, b] = found[b, c] = found[c, a] = True


def _is_rigid(mask: Mask, loops: bool) -> bool:
    """Whether no other matrix has the same row and column sums (and, without loops, an empty diagonal too)."""
    m = mask.astype(np.float64)
    extra = m @ (1 - m).T  # how many columns row i has that row j lacks
    if loops:
        return not ((extra > 0.5) & (extra.T > 0.5)).any()
    extra -= m  # a trade leaves out the two neurons themselves
    one_way = m * (1 - m).T
    return not (((extra > 0.5) & (extra.T > 0.5)).any() or (one_way @ one_way * one_way.T).any())


def square_census(masks: Mapping[str, Mask], *, n_random: int = 100, seed: int = 0) -> Census:
    """Count the motif in one square of populations, shuffling each projection separately.

    Args:
        masks: maps "W", "V", "Vt" and "Wt" to boolean masks ``[post, pre]``, as in `count_square`.
        n_random: the number of random graphs, at least 2, which a standard deviation needs.
        seed: the seed for the random graphs.
    Returns:
        The observed count, and the counts in the random graphs.
    Raises:
        AnalysisError: a mask is missing or not a matrix, shapes do not fit, or nothing can be shuffled.
        ParameterError: `n_random` or `seed` is out of range.
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
    found = {kind: _mask(kind, masks[kind]) for kind in KINDS}
    shapes = {kind: mask.shape for kind, mask in found.items()}
    (b, a), (d, c) = shapes["W"], shapes["Wt"]
    if shapes["V"] != (b, c) or shapes["Vt"] != (d, a):
        raise AnalysisError(f"square_census: shapes do not fit: {shapes}; V must be {(b, c)} and Vt {(d, a)}")
    if all(_is_rigid(mask, loops=True) for mask in found.values()):
        raise AnalysisError(
            "square_census: nothing can be shuffled, because no other masks give every neuron as many synapses as "
            "these; in full projections, for example, prune weak synapses first"
        )

    def draw(rng: np.random.Generator) -> int:
        return count_square(**{kind: shuffled(mask, rng) for kind, mask in found.items()})

    return Census(count_square(**found), _random(draw, n_random, seed))


def _mask(kind: str, values: Any) -> Mask:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise AnalysisError(
            f"square_census: mask {kind!r} must be a dense matrix [post, pre] of booleans or finite numbers "
            f"(got {type(values).__name__}, dtype {array.dtype}, shape {array.shape})"
        )
    return array.astype(bool)


def graph_census(graph: nx.DiGraph, *, projection: str | None = None, n_random: int = 100, seed: int = 0) -> Census:
    """Count the bi-fans in a directed graph.

    Args:
        graph: a networkx DiGraph or MultiDiGraph. Self-loops are ignored, and parallel edges count once.
        projection: the edge attribute that names an edge's projection; the random graphs preserve degrees within
            each projection. None: they preserve degrees within each key of a MultiDiGraph, except that integer keys,
            by which networkx numbers parallel edges, are taken together; or in a DiGraph as a whole.
        n_random, seed: as in `square_census`.
    Returns:
        The observed count, and the counts in the random graphs.
    Raises:
        AnalysisError: the graph is not a directed graph, an edge lacks the attribute, or nothing can be shuffled (for
            instance because each edge has a key of its own).
        ParameterError: `n_random` or `seed` is out of range.
    Example:
        >>> import networkx as nx
        >>> from circuitsim.analysis import graph_census
        >>> graph_census(nx.DiGraph([(0, 2), (0, 3), (1, 2), (1, 3), (4, 5)]), n_random=20).observed
        1

    Source: Milo et al. (2002), Science 298:824.
    """
    import networkx as nx  # late: other analyses do not need networkx

    if not isinstance(graph, nx.DiGraph):
        raise AnalysisError(
            f"graph_census needs a directed graph of networkx (got {type(graph).__name__}); use nx.DiGraph(edges), or "
            "nx.from_numpy_array(matrix.T, create_using=nx.DiGraph) for a matrix [post, pre]"
        )
    classes = _classes(graph, projection)
    fixed = [part for part in classes if _is_rigid(part[1], loops=False)]
    loose = [part for part in classes if not _is_rigid(part[1], loops=False)]
    if not loose:
        raise AnalysisError(f"graph_census: nothing can be shuffled, because {_reason(graph, projection, classes)}")

    def draw(rng: np.random.Generator) -> int:
        return count_bifans(_union([*fixed, *((ends, shuffled(mask, rng, loops=False)) for ends, mask in loose)]))

    return Census(count_bifans(_union(classes)), _random(draw, n_random, seed))


# the neurons of one projection, by their positions in the graph, and the edges between them [post, pre]
Class = tuple[NDArray[np.int64], Mask]


def _classes(graph: nx.DiGraph, projection: str | None) -> list[Class]:
    """The edges of each projection, without self-loops."""
    index = {node: k for k, node in enumerate(graph)}
    pairs: dict[Any, list[tuple[int, int]]] = {}
    for edge in graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True):
        pre, post, attributes = edge[0], edge[1], edge[-1]
        name = edge[2] if graph.is_multigraph() and not isinstance(edge[2], Integral) else None
        if projection is not None:
            name = attributes.get(projection)
            if not isinstance(name, Hashable) or name is None or name != name:  # igraph writes NaN for what is missing
                raise AnalysisError(
                    f"graph_census: edge {pre!r} -> {post!r} has no attribute {projection!r} that names a projection "
                    f"(got {name!r}; it has {list(attributes)})"
                )
        if pre != post:
            pairs.setdefault(name, []).append((index[post], index[pre]))
    found = []
    for ends in pairs.values():
        nodes, places = np.unique(ends, return_inverse=True)
        mask = np.zeros((len(nodes), len(nodes)), dtype=bool)
        mask[tuple(places.reshape(-1, 2).T)] = True
        found.append((nodes, mask))
    return found


def _union(classes: list[Class]) -> Mask:
    nodes = np.unique(np.concatenate([ends for ends, _ in classes]))
    found = np.zeros((len(nodes), len(nodes)), dtype=bool)
    for ends, mask in classes:
        places = np.searchsorted(nodes, ends)
        found[np.ix_(places, places)] |= mask
    return found


def _reason(graph: nx.DiGraph, projection: str | None, classes: list[Class]) -> str:
    n = sum(int(mask.sum()) for _, mask in classes)
    if n == 0:
        return "there are no edges between different nodes"
    if len(classes) == 1:
        return "there is no other graph in which every node has as many incoming and outgoing edges"
    owner = "key" if projection is None else projection
    alone = f" (each of the {n} edges has a {owner} of its own)" if len(classes) == n else ""
    advice = "pass nx.DiGraph(graph) to take all edges together"
    advice += ", or name the edge attribute that holds the projection (projection=...)" if projection is None else ""
    return f"there are no other graphs with the same degrees within each {owner}{alone}; {advice}"


def _random(draw: Callable[[np.random.Generator], int], n_random: int, seed: int) -> NDArray[np.float64]:
    n_graphs, rng = whole("n_random", n_random, least=2), np.random.default_rng(whole("seed", seed, least=0))
    return np.array([draw(rng) for _ in range(n_graphs)], dtype=np.float64)
