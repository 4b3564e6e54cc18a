"""Estimates of a circuit's memory from its declaration, before any memory is allocated."""

from __future__ import annotations

import math

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.memory import machine_bytes
from circuitsim.motif import All, Edges, Motif, Projection, Random, ReciprocalOf
from circuitsim.motif.state import lasting
from circuitsim.motif.synapses import settled
from circuitsim.plan import layout_of

DRAWN = 8  # bytes per weight while weights are drawn
INDEX = 24  # bytes per sparse synapse for the indices of its neurons


def stored_bytes(motif: Motif, n_replicas: int, itemsize: int) -> int:
    """The size of weights and states of a valid motif, in memory or in a file, with `itemsize` bytes per number."""
    numbers = sum(_n_values(motif, p) * (1 + len(lasting(p.state))) for p in motif.projections if p.tied_to is None)
    numbers += sum(p.size * len(lasting(p.state)) for p in motif.populations)
    return numbers * n_replicas * itemsize


def sampled_bytes(motif: Motif, p: Projection, n_replicas: int, itemsize: int) -> int:
    """The memory that the states per sample of a projection take for each sample of a batch."""
    n_states = len(p.state) - len(lasting(p.state))
    return n_states * _n_values(motif, p) * n_replicas * itemsize if n_states else 0


def check_memory(motif: Motif, n_replicas: int, itemsize: int) -> None:
    """Refuse a circuit that cannot fit into this machine's memory.

    Raises:
        ParameterError: weights and their indices or masks, one sample's activity and states, and the largest
            projection while it is drawn together exceed the memory.
    """
    drawn = max(((_n_values(motif, p), p.name) for p in motif.projections if p.tied_to is None), default=(0, ""))
    present = sum(_n_values(motif, p) * _presence(motif, p, itemsize) for p in motif.projections if p.tied_to is None)
    neurons = sum(p.size for p in motif.populations)
    needed = stored_bytes(motif, n_replicas, itemsize)
    needed += n_replicas * (2 * DRAWN * drawn[0] + itemsize * neurons + present)
    needed += sum(sampled_bytes(motif, p, n_replicas, itemsize) for p in motif.projections)
    there = machine_bytes()
    if there is not None and needed > there:
        largest = f", {drawn[0]:,} of them possible synapses of projection {drawn[1]!r}" if drawn[0] > neurons else ""
        raise ParameterError(
            f"motif {motif.name!r} has {neurons:,} neurons and {n_replicas:,} replicas, and needs at least "
            f"{readable(needed)}{largest}, but only {readable(there)} exist; make it smaller, or run fewer replicas"
        )


def _n_values(motif: Motif, p: Projection) -> int:
    """The number of stored weights of one replica, or a lower bound for random sparse synapses."""
    kind, pairs = layout_of(motif, p), int(motif.population(p.post).size) * int(motif.population(p.pre).size)
    if kind == "one_to_one":
        return int(motif.population(p.post).size)
    if kind == "dense":
        return pairs
    other = motif.projection(p.connectivity.projection) if isinstance(p.connectivity, ReciprocalOf) else p
    match settled(motif, other):
        case Random(probability=probability):
            expected = float(np.mean(probability)) * pairs
            return max(0, int(expected - 10 * math.sqrt(expected)))
        case Edges() as edges:
            return len(edges.synapses(motif.population(other.pre).size))
    raise TypeError(f"projection {p.name!r}: {other.connectivity!r} is not listed")


def _presence(motif: Motif, p: Projection, itemsize: int) -> int:
    """Bytes per weight for the indices of its synapse, or for the mask that says whether it exists."""
    if p.connectivity == All():
        return 0
    return {"sparse": INDEX, "dense": itemsize, "one_to_one": 0}[layout_of(motif, p)]


def readable(n_bytes: int) -> str:
    """A number of bytes as text."""
    if n_bytes < 2**30:
        return f"{n_bytes / 2**20:,.1f} MiB" if n_bytes >= 2**20 else f"{n_bytes:,} bytes"
    return f"{n_bytes / 2**30:,.1f} GiB" if n_bytes < 2**50 else f"{n_bytes // 2**40:,} TiB"
