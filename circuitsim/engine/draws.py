"""Random connectivity and starting weights, drawn on the CPU.

Every draw has a stream of its own, keyed by (seed, name of the projection, purpose): replica r of seed s is
the solo circuit of seed s + r, on every device, and a projection added to a motif changes no other's draws.
"""

from __future__ import annotations

import hashlib

import numpy as np

from circuitsim.motif.connectivity import All, Connectivity, Edges, Mask, OneToOne, Random
from circuitsim.motif.init import Constant, Gaussian, Given, Identity, Init, Uniform


def generator(seed: int, name: str, purpose: str) -> np.random.Generator:
    """The stream of random numbers for one purpose."""
    digest = hashlib.sha256(f"{name}/{purpose}".encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()])


def draw_mask(connectivity: Connectivity, shape: tuple[int, int], seed: int, name: str) -> np.ndarray | None:
    """Which synapses exist, shape ``[post, pre]``; None if all do. (ReciprocalOf is resolved by the caller.)"""
    match connectivity:
        case Random(probability=probability):
            return generator(seed, name, "connectivity").random(shape) < probability
        case OneToOne():
            return np.eye(*shape, dtype=bool)
        case Edges():
            return connectivity.mask(*shape)
        case Mask(array=array):
            return array != 0
        case All():
            return None
    raise TypeError(f"projection {name!r}: {connectivity!r} draws no mask")


def draw_weights(
    init: Init, shape: tuple[int, int], mask: np.ndarray | None, seed: int, name: str, replica: int
) -> np.ndarray:
    """Starting weights, shape ``[post, pre]``, float64; absent synapses are 0."""
    match init:
        case Gaussian(gain=gain, scaling=scaling):
            weights = generator(seed, name, "weights").standard_normal(shape) * _standard_deviation(
                gain, scaling, shape, mask
            )
        case Uniform(low=low, high=high):
            weights = generator(seed, name, "weights").uniform(low, high, shape)
        case Constant(value=value):
            weights = np.full(shape, float(value))
        case Identity():
            weights = np.eye(*shape)
        case Given(array=array):
            weights = np.array(array[replica] if array.ndim == 3 else array)
    return weights if mask is None else np.where(mask, weights, 0.0)


def _standard_deviation(gain: float, scaling: str, shape: tuple[int, int], mask: np.ndarray | None) -> np.ndarray:
    """gain / sqrt(n), with n the number of present partners of each neuron (at least 1)."""
    axis = 1 if scaling == "fan_in" else 0
    partners = np.full((1, 1), shape[axis]) if mask is None else mask.sum(axis=axis, keepdims=True)
    return gain / np.sqrt(np.maximum(partners, 1))
