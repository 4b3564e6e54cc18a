"""Connectivity in space. Where neurons are settles which synapses there are, or how probable each is."""

from __future__ import annotations

import numpy as np
import sympy

from circuitsim.motif.arrays import LARGEST, counted_are, place_of
from circuitsim.motif.checks import Faults, is_whole, parse_faults
from circuitsim.motif.connectivity import Connectivity, DistanceDependent, Edges, Local, Mask, Random
from circuitsim.motif.declarations import Declarations, memoized
from circuitsim.motif.neuron_names import matrix_of
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.rules import parse
from circuitsim.rules.elementwise import ELEMENTWISE
from circuitsim.rules.functions import ELEMENTWISE as FUNCTIONS
from circuitsim.rules.vocabulary import local


@memoized
def settled(motif: Declarations, p: Projection) -> Connectivity:
    """Return a projection's connectivity, which must be valid, without reference to names or places of neurons.

    Local fields become `Edges`, probabilities of distances `Random`, and a mask is in the order of the neurons.
    """
    post, pre = motif.population(p.post), motif.population(p.pre)
    match p.connectivity:
        case Local() as fields:
            import scipy.sparse  # late: few motifs need it

            seen = [np.ones((post.size // _places(post), pre.size // _places(pre)))]  # all channels of a place
            found = seen[0]
            for axis in _axes(fields, post, pre):
                found = scipy.sparse.kron(found, axis, format="csr")
            rows, columns = found.nonzero()
            return Edges(pre=columns, post=rows)
        case DistanceDependent() as dependence:
            return Random(probability=_probabilities(p, dependence, post, pre))
        case Mask() as mask:
            return Mask(matrix_of(motif, p, mask))
    return p.connectivity


def _places(p: Population) -> int:
    assert p.grid is not None
    return int(np.prod(p.grid))


def _axes(fields: Local, post: Population, pre: Population) -> list[np.ndarray]:
    """Which places each place sees along each dimension, boolean ``[post, pre]``."""
    assert post.grid is not None and pre.grid is not None
    found = []
    for n_post, n_pre in zip(post.grid, pre.grid, strict=True):
        offset = (n_pre - 1 - fields.stride * (n_post - 1)) // 2
        centres = fields.stride * np.arange(n_post) + offset
        found.append(np.abs(np.arange(n_pre) - centres[:, None]) <= fields.radius)
    return found


def _probabilities(p: Projection, dependence: DistanceDependent, post: Population, pre: Population) -> np.ndarray:
    """The value of the expression at each distance, ``[post, pre]``.

    Raises:
        RuleError: the expression cannot be parsed.
    """
    from scipy.spatial.distance import cdist  # late: few motifs need it

    owner = f"projection {p.name!r}: DistanceDependent"
    expression = parse(dependence.probability, {"d": local("d")}, FUNCTIONS, owner)
    with np.errstate(all="ignore"):  # what is not finite is a fault
        distances = cdist(post.coordinates, pre.coordinates)
        value = sympy.lambdify(local("d"), expression, modules=[ELEMENTWISE, "numpy"])(distances)
    return np.broadcast_to(np.asarray(value, dtype=float), distances.shape)


def local_faults(owner: str, fields: Local, post: Population, pre: Population) -> Faults:
    """Yield the faults of local connectivity."""
    sound = True
    for what, value, least in (("radius", fields.radius, 0), ("stride", fields.stride, 1)):
        if not (is_whole(value) and value >= least):
            sound = False
            yield f"{owner}: Local {what} must be a whole number, {least} or more (got {value!r})"
    for p in (post, pre):
        if p.grid is None:
            sound = False
            yield f"{owner}: Local needs the shape of population {p.name!r}, as in Population(..., shape=(28, 28))"
    if not sound:
        return
    assert post.grid is not None and pre.grid is not None
    if len(post.grid) != len(pre.grid):
        yield (
            f"{owner}: Local needs maps of equal dimension (got post {post.name!r} with {post.shape}, pre {pre.name!r} "
            f"with {pre.shape})"
        )
    elif blind := [k for k, axis in enumerate(_axes(fields, post, pre)) if not axis.any(axis=1).all()]:
        yield (
            f"{owner}: Local leaves neurons of {post.name!r} without a presynaptic place: {post.grid[blind[0]]} fields "
            f"at stride {fields.stride} and radius {fields.radius} reach beyond the {pre.grid[blind[0]]} places of "
            f"{pre.name!r}; give {post.name!r} a smaller shape, or the fields a smaller stride"
        )


def distance_faults(
    owner: str, p: Projection, dependence: DistanceDependent, post: Population, pre: Population
) -> Faults:
    """Yield the faults of connectivity that depends on distances."""
    for end in (post, pre):
        if end.coordinates is None:
            yield f"{owner}: DistanceDependent needs the shape or the positions of population {end.name!r}"
    if post.coordinates is None or pre.coordinates is None:
        return
    dimensions = [end.coordinates.shape[1] for end in (post, pre) if end.coordinates is not None]
    if dimensions[0] != dimensions[1]:
        yield (
            f"{owner}: DistanceDependent needs positions of equal dimension (got post {post.name!r} with "
            f"{dimensions[0]}, pre {pre.name!r} with {dimensions[1]})"
        )
    elif post.size * pre.size > LARGEST:
        yield (
            f"{owner}: DistanceDependent computes {post.size * pre.size:,} distances, but the limit is {LARGEST:,}; "
            "list the synapses with Edges"
        )
    elif not (wrong := list(parse_faults(lambda: _probabilities(p, dependence, post, pre)))):
        yield from probability_faults(owner, "DistanceDependent", _probabilities(p, dependence, post, pre))
    else:
        yield from wrong


def probability_faults(owner: str, what: str, probabilities: np.ndarray) -> Faults:
    """Yield the fault of probabilities outside [0, 1]."""
    wrong = ~((probabilities >= 0) & (probabilities <= 1))
    if wrong.any():
        first = probabilities[tuple(np.argwhere(wrong)[0])]
        yield (
            f"{owner}: {what}: probabilities must lie in [0, 1], but {counted_are(wrong)} outside, the first "
            f"({first:g}) {place_of(wrong)}; clip(..., 0, 1) limits an expression"
        )
