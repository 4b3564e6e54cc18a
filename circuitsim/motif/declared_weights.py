"""Weights that a user gives one by one: each must belong to a synapse and lie within the bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuitsim.motif.arrays import counted, place_of
from circuitsim.motif.connectivity import DistanceDependent, Edges, Mask, OneToOne, Random, ReciprocalOf
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.init import Gaussian, Init, Uniform
from circuitsim.motif.projection import Projection
from circuitsim.motif.space import settled

Bounds = tuple[float | None, float | None]


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


def sign_faults(motif: Declarations, p: Projection) -> Iterator[str]:
    """Yield how a projection contradicts the sign of its presynaptic population."""
    sign = motif.population(p.pre).sign
    if sign is None:
        return
    owner = f"projection {p.name!r}: its presynaptic population {p.pre!r} is {sign}"
    low, high = bounds_of(motif, p) or (None, None)
    if low is not None and high is not None and low >= high:
        yield f"{owner}, but its bounds are {p.bounds}"
    match p.init:
        case Gaussian(sign="positive" | "negative" as other) if (other == "positive") != (sign == "excitatory"):
            yield f"{owner}, but its weights are Gaussian(..., sign={other!r}); leave out the sign"
        case Uniform(low=low, high=high) if low < 0 < high:
            yield f"{owner}, but its weights are of both signs: Uniform({low}, {high}); begin or end it at 0"
    if p.tied_to is not None:
        source = motif.projection(p.tied_to.projection)
        low, high = bounds_of(motif, source) or (None, None)
        ends = (-np.inf if low is None else low) * p.tied_to.scale, (np.inf if high is None else high) * p.tied_to.scale
        if p.tied_to.scale and (min(ends) < 0 if sign == "excitatory" else max(ends) > 0):
            yield (
                f"{owner}, but its weights are tied to {source.name!r}, whose bounds {bounds_of(motif, source)} allow "
                "others"
            )


def ends_of(motif: Declarations, p: Projection) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the indices ``[synapse]`` of the post- and presynaptic neurons of a projection with valid connectivity.

    None if every pair is connected or the synapses are drawn at random. Of a mask for each replica, the synapses of any
    replica.
    """
    match settled(motif, p):
        case Mask(array=array):
            post, pre = np.nonzero(array.any(axis=0) if array.ndim == 3 else array)
            return post, pre
        case Edges(pre=pre, post=post):
            return post.astype(int), pre.astype(int)
        case OneToOne():
            neurons = np.arange(motif.population(p.post).size)
            return neurons, neurons
        case ReciprocalOf(projection=name):
            other = ends_of(motif, motif.projection(name))
            return None if other is None else other[::-1]
    return None


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
    if isinstance(p.connectivity, ReciprocalOf):
        other = mask_of(motif, motif.projection(p.connectivity.projection))
        return None if other is None else other.swapaxes(-1, -2)
    found = settled(motif, p)
    return found.array != 0 if isinstance(found, Mask) else None


def differs(motif: Declarations, p: Projection) -> bool:
    """Return whether the synapses of a projection, whose connectivity is valid, may differ between replicas."""
    mask = None if is_random(motif, p) else mask_of(motif, p)
    return is_random(motif, p) if mask is None else mask.ndim == 3


def is_random(motif: Declarations, p: Projection) -> bool:
    """Return whether the synapses of a projection, whose connectivity is valid, are drawn at random."""
    if isinstance(p.connectivity, ReciprocalOf):
        return is_random(motif, motif.projection(p.connectivity.projection))
    return isinstance(p.connectivity, Random | DistanceDependent)


def stray_fault(what: str, weights: np.ndarray, present: np.ndarray) -> str | None:
    """Say that weights ``[..., post, pre]`` are given where no synapse is `present`, or return None."""
    weights, present = np.broadcast_arrays(weights, present)
    wrong = (weights != 0) & ~present
    if not wrong.any():
        return None
    return (
        f"{what} where there is no synapse: {counted(wrong)}, the first "
        f"({weights[tuple(np.argwhere(wrong)[0])]:g}) {place_of(wrong)}; use 0 there, or transpose an array whose rows "
        "are presynaptic neurons"
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
    first = weights[tuple(np.argwhere(wrong)[0])]
    return f"{what} outside the bounds {bounds}: {counted(wrong)}, the first ({first:g}) {place_of(wrong)}"
