"""Random connectivity and starting weights, drawn on the CPU.

Every draw has a stream of its own, keyed by (seed, name of the projection, purpose): replica r of seed s is
the solo circuit of seed s + r, on every device, and a projection added to a motif changes no other's draws. Only
synapses that exist are drawn, however they will be stored: time and memory grow with their number.

Synapses are numbered row by row: number ``post * n_pre + pre``, in rising order; None stands for all of them.
"""

from __future__ import annotations

import hashlib

import numpy as np

from circuitsim.motif.connectivity import All, Connectivity, Edges, Mask, OneToOne, Random
from circuitsim.motif.init import Constant, Gaussian, Given, Identity, Init, Uniform

Shape = tuple[int, int]  # (post, pre)


def generator(seed: int, name: str, purpose: str) -> np.random.Generator:
    """The stream of random numbers for one purpose."""
    digest = hashlib.sha256(f"{name}/{purpose}".encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()])


def draw_synapses(connectivity: Connectivity, shape: Shape, seed: int, name: str) -> np.ndarray | None:
    """The numbers of the synapses that exist. (ReciprocalOf is resolved by the caller.)"""
    match connectivity:
        case Random(probability=probability):
            return _random(generator(seed, name, "connectivity"), probability, shape[0] * shape[1])
        case OneToOne():
            return np.arange(shape[0]) * (shape[1] + 1)
        case Edges(pre=pre, post=post):
            return np.unique(post.astype(np.int64) * shape[1] + pre.astype(np.int64))
        case Mask(array=array):
            return np.flatnonzero(array)
        case All():
            return None
    raise TypeError(f"projection {name!r}: {connectivity!r} draws no synapses")


def _random(rng: np.random.Generator, probability: float, n_pairs: int) -> np.ndarray:
    """Independent coin flips: the gaps from one success to the next are geometric."""
    found, last = [], -1
    while last < n_pairs:
        n_expected = (n_pairs - last) * probability
        gaps = rng.geometric(probability, size=int(n_expected + 5 * np.sqrt(n_expected)) + 10)
        found.append(last + np.cumsum(gaps))
        last = int(found[-1][-1])
    numbers = np.concatenate(found)
    return numbers[numbers < n_pairs]


def reversed_synapses(synapses: np.ndarray | None, shape: Shape) -> np.ndarray | None:
    """The same synapses with both ends swapped; `shape` is that of the given ones."""
    if synapses is None:
        return None
    post, pre = np.divmod(synapses, shape[1])
    return np.sort(pre * shape[0] + post)


def draw_weights(
    init: Init, shape: Shape, synapses: np.ndarray | None, seed: int, name: str, replica: int
) -> np.ndarray:
    """Starting weights of the synapses that exist, shape ``[synapse]``, float64."""
    n_synapses = shape[0] * shape[1] if synapses is None else len(synapses)
    match init:
        case Gaussian(gain=gain, scaling=scaling):
            deviations = gain / np.sqrt(_partners(scaling, shape, synapses))
            return generator(seed, name, "weights").standard_normal(n_synapses) * deviations
        case Uniform(low=low, high=high):
            return generator(seed, name, "weights").uniform(low, high, n_synapses)
        case Constant(value=value):
            return np.full(n_synapses, float(value))
        case Identity():
            post, pre = np.divmod(np.arange(n_synapses) if synapses is None else synapses, shape[1])
            return (post == pre).astype(float)
        case Given(array=array):
            weights = np.asarray(array[replica] if array.ndim == 3 else array, dtype=float).reshape(-1)
            return weights if synapses is None else weights[synapses]
    raise TypeError(f"projection {name!r}: {init!r} draws no weights")


def _partners(scaling: str, shape: Shape, synapses: np.ndarray | None) -> np.ndarray | int:
    """Of each synapse: how many partners its postsynaptic (fan_in) or presynaptic (fan_out) neuron has."""
    axis = 1 if scaling == "fan_in" else 0
    if synapses is None:
        return shape[axis]
    neurons = np.divmod(synapses, shape[1])[1 - axis]
    return np.bincount(neurons, minlength=shape[1 - axis])[neurons]
