"""Which synapses a projection has, and what their weights may be."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import sympy

from circuitsim.motif import connectivity as c
from circuitsim.motif.arrays import counted, first_of
from circuitsim.motif.connectivity import Connectivity
from circuitsim.motif.declarations import Declarations, memoized
from circuitsim.motif.init import Gaussian, Init, Uniform
from circuitsim.motif.neuron_names import matrix_of
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection
from circuitsim.rules import parse
from circuitsim.rules.elementwise import ELEMENTWISE
from circuitsim.rules.functions import ELEMENTWISE as FUNCTIONS
from circuitsim.rules.vocabulary import local

Bounds = tuple[float | None, float | None]


@memoized
def settled(motif: Declarations, p: Projection) -> Connectivity:
    """Return a projection's connectivity, which must be valid, without reference to names or places of neurons.

    Local fields become `Edges`, probabilities of distances `Random`, and a mask is in the order of the neurons.
    """
    post, pre = motif.population(p.post), motif.population(p.pre)
    match p.connectivity:
        case c.Local() as fields:
            import scipy.sparse  # late: few motifs need it

            found = np.ones([int(np.prod((end.shape or ())[:-2])) for end in (post, pre)])  # all channels of a place
            for axis in seen_places(fields, post, pre):
                found = scipy.sparse.kron(found, axis, format="csr")
            rows, columns = found.nonzero()
            return c.Edges(pre=columns, post=rows)
        case c.DistanceDependent() as dependence:
            return c.Random(probability=probabilities(p, dependence, post, pre))
        case c.Mask() as mask:
            return c.Mask(matrix_of(motif, p, mask))
    return p.connectivity


def seen_places(fields: c.Local, post: Population, pre: Population) -> list[np.ndarray]:
    """Return which places each place sees along each dimension, boolean ``[post, pre]``."""
    assert post.grid is not None and pre.grid is not None
    found = []
    for n_post, n_pre in zip(post.grid, pre.grid, strict=True):
        offset = (n_pre - 1 - fields.stride * (n_post - 1)) // 2
        centres = fields.stride * np.arange(n_post) + offset
        found.append(np.abs(np.arange(n_pre) - centres[:, None]) <= fields.radius)
    return found


def probabilities(p: Projection, dependence: c.DistanceDependent, post: Population, pre: Population) -> np.ndarray:
    """Return the value of the expression at each distance, ``[post, pre]``; a RuleError says that it is none."""
    from scipy.spatial.distance import cdist  # late: few motifs need it

    owner = f"projection {p.name!r}: DistanceDependent"
    expression = parse(dependence.probability, {"d": local("d")}, FUNCTIONS, owner)
    with np.errstate(all="ignore"):  # what is not finite is a fault
        distances = cdist(post.coordinates, pre.coordinates)
        value = sympy.lambdify(local("d"), expression, modules=[ELEMENTWISE, "numpy"])(distances)
    return np.broadcast_to(np.asarray(value, dtype=float), distances.shape)


def _declared_by(motif: Declarations, p: Projection) -> tuple[Projection, bool]:
    """Return the projection whose connectivity declares the synapses of `p`, and whether they are those, transposed."""
    if isinstance(p.connectivity, c.ReciprocalOf):
        return motif.projection(p.connectivity.projection), True
    return p, False


def ends_of(motif: Declarations, p: Projection) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the indices ``[synapse]`` of the post- and presynaptic neurons of a projection with valid connectivity.

    None if every pair is connected or the synapses are drawn at random. Of a mask for each replica, the synapses of any
    replica.
    """
    source, is_transposed = _declared_by(motif, p)
    match settled(motif, source):
        case c.Mask(array=array):
            post, pre = np.nonzero(array.any(axis=0) if array.ndim == 3 else array)
        case c.Edges() as edges:
            post, pre = edges.post.astype(int), edges.pre.astype(int)
        case c.OneToOne():
            post = pre = np.arange(motif.population(p.post).size)
        case _:
            return None
    return (pre, post) if is_transposed else (post, pre)


def pattern_of(motif: Declarations, p: Projection) -> np.ndarray | None:
    """Return the synapses of `ends_of` as a boolean array ``[post, pre]``, or ``[replica, post, pre]``."""
    if (mask := mask_of(motif, p)) is not None:
        return mask
    ends = ends_of(motif, p)
    if ends is None:
        return None
    present = np.zeros((motif.population(p.post).size, motif.population(p.pre).size), dtype=bool)
    present[ends] = True
    return present


def mask_of(motif: Declarations, p: Projection) -> np.ndarray | None:
    """Return the mask of a projection, or of the one to which it is reciprocal, in its own orientation; else None."""
    source, is_transposed = _declared_by(motif, p)
    found = settled(motif, source)
    if not isinstance(found, c.Mask):
        return None
    mask: np.ndarray = found.array != 0
    return mask.swapaxes(-1, -2) if is_transposed else mask


def is_random(motif: Declarations, p: Projection) -> bool:
    """Return whether the synapses of a projection, whose connectivity is valid, are drawn at random."""
    return isinstance(_declared_by(motif, p)[0].connectivity, c.Random | c.DistanceDependent)


def differs(motif: Declarations, p: Projection) -> bool:
    """Return whether the synapses of a projection, whose connectivity is valid, may differ between replicas."""
    if is_random(motif, p):
        return True
    mask = mask_of(motif, p)
    return mask is not None and mask.ndim == 3


def bounds_of(motif: Declarations, p: Projection) -> Bounds | None:
    """Return the bounds of a projection's weights: those declared, within the sign of the presynaptic population.

    Tied weights have those of their source.
    """
    sign = motif.population(p.pre).sign
    if sign is None or p.tied_to is not None:
        return p.bounds
    low, high = p.bounds or (None, None)
    if sign == "excitatory":
        return (0.0 if low is None else max(low, 0.0)), high
    return low, (0.0 if high is None else min(high, 0.0))


def signed(motif: Declarations, p: Projection, init: Init) -> Init:
    """Return a distribution of a projection's weights with the sign of the presynaptic population: its magnitudes."""
    sign = motif.population(p.pre).sign
    if sign is not None and isinstance(init, Gaussian):
        return dataclasses.replace(init, sign="positive" if sign == "excitatory" else "negative")
    if isinstance(init, Uniform) and (
        (sign == "excitatory" and init.low < 0) or (sign == "inhibitory" and init.high > 0)
    ):
        return Uniform(-init.high, -init.low)
    return init


def stray_fault(what: str, weights: np.ndarray, present: np.ndarray) -> str | None:
    """Say that weights ``[..., post, pre]`` are given where no synapse is `present`, or return None."""
    weights, present = np.broadcast_arrays(weights, present)
    wrong = (weights != 0) & ~present
    if not wrong.any():
        return None
    return (
        f"{what} where there is no synapse: {counted(wrong)}, the first {first_of(weights, wrong)}; use 0 there, or "
        "transpose an array whose rows are presynaptic neurons"
    )


def outside_fault(what: str, weights: Any, bounds: Bounds | None, present: np.ndarray | None = None) -> str | None:
    """Say that weights, a number or an array, lie outside the bounds where synapses are `present`, or return None."""
    low, high = (float("nan") if end is None else float(end) for end in bounds or (None, None))
    weights = np.asarray(weights, dtype=float)
    wrong = (weights < low) | (weights > high)
    wrong = wrong if present is None else wrong & present
    if not wrong.any():
        return None
    weights = np.broadcast_to(weights, wrong.shape)
    if weights.ndim == 0:
        return f"{what} outside the bounds {bounds} (got {float(weights):g})"
    return f"{what} outside the bounds {bounds}: {counted(wrong)}, the first {first_of(weights, wrong)}"
