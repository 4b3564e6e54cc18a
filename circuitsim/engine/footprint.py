"""How much memory a circuit needs, worked out from its declaration before any of it is taken."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.motif.connectivity import All, Edges, Random, ReciprocalOf
from circuitsim.motif.motif import Motif
from circuitsim.motif.projection import Projection
from circuitsim.plan import layout_of

DRAWN = 8  # bytes a number, while weights are drawn
INDEX = 24  # bytes a listed synapse, to say between which neurons it is


def stored_bytes(motif: Motif, n_replicas: int, itemsize: int) -> int:
    """What weights and states take, in memory as in a file.

    Args:
        motif: sound (`Motif.validate`).
        n_replicas: number of replicas.
        itemsize: bytes a number.
    """
    numbers = sum(_n_values(motif, p) * (1 + len(p.state)) for p in motif.projections if p.weight is None)
    numbers += sum(p.size * len(p.state) for p in motif.populations)
    return numbers * n_replicas * itemsize


def check_memory(motif: Motif, n_replicas: int, itemsize: int) -> None:
    """Refuse what cannot fit into this machine.

    Args:
        motif, n_replicas, itemsize: as in `stored_bytes`.
    Raises:
        ParameterError: weights, which of them exist, one sample's activity, and the largest projection while it is
            drawn are more than the memory that there is.
    """
    drawn = max(((_n_values(motif, p), p.name) for p in motif.projections if p.weight is None), default=(0, ""))
    present = sum(_n_values(motif, p) * _presence(motif, p, itemsize) for p in motif.projections if p.weight is None)
    neurons = sum(p.size for p in motif.populations)
    needed = stored_bytes(motif, n_replicas, itemsize)
    needed += n_replicas * (2 * DRAWN * drawn[0] + itemsize * neurons + present)
    there = machine_bytes()
    if there is not None and needed > there:
        largest = f", {drawn[0]:,} of them possible synapses of projection {drawn[1]!r}" if drawn[0] > neurons else ""
        raise ParameterError(
            f"motif {motif.name!r} has {neurons:,} neurons and {n_replicas:,} replicas, and needs at least "
            f"{_readable(needed)}{largest}; there are {_readable(there)}: make it smaller, or run fewer replicas"
        )


def _n_values(motif: Motif, p: Projection) -> int:
    """The numbers of one replica, or for a random list of synapses what there are at least."""
    kind, pairs = layout_of(motif, p), int(motif.population(p.post).size) * int(motif.population(p.pre).size)
    if kind == "one_to_one":
        return int(motif.population(p.post).size)
    if kind == "dense":
        return pairs
    other = motif.projection(p.connectivity.projection) if isinstance(p.connectivity, ReciprocalOf) else p
    match other.connectivity:
        case Random(probability=probability):
            expected = probability * pairs
            return max(0, int(expected - 10 * math.sqrt(expected)))
        case Edges(pre=pre, post=post):
            return len(np.unique(post.astype(np.int64) * motif.population(other.pre).size + pre.astype(np.int64)))
    raise TypeError(f"projection {p.name!r}: {other.connectivity!r} is not listed")


def _presence(motif: Motif, p: Projection, itemsize: int) -> int:
    """Bytes a number takes to say which synapse it belongs to, or whether that exists."""
    if p.connectivity == All():
        return 0
    return {"sparse": INDEX, "dense": itemsize, "one_to_one": 0}[layout_of(motif, p)]


def machine_bytes() -> int | None:
    """The memory of this machine, or of the container that this process is in; None where it cannot be told."""
    found = []
    with contextlib.suppress(ValueError, OSError, AttributeError):  # not on every system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(ValueError, OSError):  # "max" is no number
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=None)


def _readable(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:,.1f} GiB" if n_bytes < 2**50 else f"{n_bytes // 2**40:,} TiB"
