"""Random connectivity, initial weights and noise, drawn on the CPU.

Every draw has its own random stream, keyed by (seed, name of the projection or population, purpose). A replica
therefore equals a single circuit of its seed on every device, and adding a projection to a motif does not change the
draws of others. Only synapses that exist are drawn, so that time and memory grow with their number, whatever the
layout.

Synapses are numbered row by row, ``post * n_pre + pre``, in ascending order; None stands for all synapses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from circuitsim.motif import All, Constant, Edges, Gaussian, Given, Identity, Mask, OneToOne, Random, Uniform
from circuitsim.motif.connectivity import Connectivity
from circuitsim.motif.init import Init

Shape = tuple[int, int]  # (post, pre)


def generator(seed: int, name: str, purpose: str) -> np.random.Generator:
    """The stream of random numbers for one purpose."""
    digest = hashlib.sha256(f"{name}/{purpose}".encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()])


def draw_noise(population: str, size: int, phase: str, step: int, seeds: Sequence[int], n_samples: int) -> np.ndarray:
    """Standard normal noise of one phase of one step for a whole batch, ``[replica, sample, neuron]``, float64.

    It depends on nothing else, so that a loaded circuit continues with the same noise.
    """
    purpose = f"noise/{phase}/{step}"
    return np.stack([generator(s, population, purpose).standard_normal((n_samples, size)) for s in seeds])


def is_run(seeds: Sequence[int]) -> bool:
    """Whether the seeds of the replicas are consecutive numbers, so that the first one says all."""
    return list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))


def draw_synapses(
    connectivity: Connectivity, shape: Shape, seed: int, name: str, replica: int = 0
) -> np.ndarray | None:
    """Draw the numbers of the synapses that exist. The caller resolves ReciprocalOf and connectivity in space."""
    match connectivity:
        case Random(probability=probability):
            rng = generator(seed, name, "connectivity")
            if isinstance(probability, np.ndarray):
                return np.flatnonzero(rng.random(shape) < probability)
            return draw_some(rng, probability, shape[0] * shape[1])
        case OneToOne():
            return np.arange(shape[0]) * (shape[1] + 1)
        case Edges() as edges:
            return edges.synapses(shape[1])
        case Mask(array=array):
            return np.flatnonzero(array[replica] if array.ndim == 3 else array)
        case All():
            return None
    raise TypeError(f"projection {name!r}: {connectivity!r} draws no synapses")


def draw_some(rng: np.random.Generator, probability: float, n_pairs: int) -> np.ndarray:
    """Draw some of the numbers 0 .. n_pairs - 1 independently; the gaps between them are geometrically distributed."""
    found, last = [], -1
    while last < n_pairs:
        n_expected = (n_pairs - last) * probability
        gaps = rng.geometric(probability, size=int(n_expected + 5 * np.sqrt(n_expected)) + 10)
        found.append(last + np.cumsum(np.minimum(gaps, n_pairs + 1)))  # larger gaps would overflow
        last = int(found[-1][-1])
    numbers = np.concatenate(found)
    return numbers[numbers < n_pairs]


def union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All synapses of two lists, each once, in ascending order; several times as fast as `numpy.union1d`."""
    found = np.sort(np.concatenate([a, b]))
    return found[np.diff(found, prepend=-1) != 0]


def reversed_synapses(synapses: np.ndarray | None, shape: Shape) -> np.ndarray | None:
    """The same synapses with both ends swapped; `shape` is the shape before the swap."""
    if synapses is None:
        return None
    post, pre = np.divmod(synapses, shape[1])
    return np.sort(pre * shape[0] + post)


def draw_weights(
    init: Init,
    shape: Shape,
    synapses: np.ndarray | None,
    seed: int,
    name: str,
    replica: int,
    purpose: str = "weights",
    among: np.ndarray | None = None,
) -> np.ndarray:
    """Draw initial weights of `synapses`, shape ``[synapse]``, float64.

    Args:
        seed, name, purpose: what keys the draw.
        replica: the replica of given weights.
        among: all synapses that exist, whose numbers scale a `Gaussian`; by default the same.
    """
    n_synapses = shape[0] * shape[1] if synapses is None else len(synapses)
    match init:
        case Gaussian(gain=gain, scaling=scaling, sign=sign):
            deviations = gain / np.sqrt(_partners(scaling, shape, synapses, among))
            weights = generator(seed, name, purpose).standard_normal(n_synapses) * deviations
            return weights if sign is None else np.abs(weights) * (1 if sign == "positive" else -1)
        case Uniform(low=low, high=high):
            return generator(seed, name, purpose).uniform(low, high, n_synapses)
        case Constant(value=value):
            return np.full(n_synapses, float(value))
        case Identity():
            post, pre = np.divmod(np.arange(n_synapses) if synapses is None else synapses, shape[1])
            return (post == pre).astype(float)
        case Given(array=array):
            weights = np.asarray(array[replica] if array.ndim == 3 else array, dtype=float).reshape(-1)
            return weights if synapses is None else weights[synapses]
    raise TypeError(f"projection {name!r}: {init!r} draws no weights")


def draw_listed_weights(init: Init, edges: Edges, shape: Shape, seed: int, name: str, replica: int) -> np.ndarray:
    """Draw initial weights of the synapses that `Edges` lists, and add up those of one pair, shape ``[synapse]``.

    A matrix has one weight for each pair, which already is the weight of all its synapses together.
    """
    listed, synapses = edges.numbers(shape[1]), edges.synapses(shape[1])
    if isinstance(init, Identity) or (isinstance(init, Given) and init.array.ndim > 1):
        return draw_weights(init, shape, synapses, seed, name, replica)
    if isinstance(init, Given):
        weights = init.array
    else:
        listed = np.sort(listed)
        weights = draw_weights(init, shape, listed, seed, name, replica)
    return np.bincount(np.searchsorted(synapses, listed), weights, minlength=len(synapses)).astype(float)


def _partners(
    scaling: str, shape: Shape, synapses: np.ndarray | None, among: np.ndarray | None = None
) -> np.ndarray | int:
    """The number of synapses onto each synapse's postsynaptic ("fan_in") or from its presynaptic ("fan_out") neuron."""
    axis = 1 if scaling == "fan_in" else 0
    if synapses is None:
        return shape[axis]
    neurons, others = (
        np.divmod(numbers, shape[1])[1 - axis] for numbers in (synapses, synapses if among is None else among)
    )
    return np.bincount(others, minlength=shape[1 - axis])[neurons]
