"""Synapses that are removed, and new ones that grow at random places.

Synapses are numbered as in `circuitsim.engine.draws`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.draws import draw_some, draw_weights, generator, union
from circuitsim.engine.layout import Layout, OneToOneLayout
from circuitsim.engine.store import WeightStore
from circuitsim.errors import ParameterError
from circuitsim.motif import Projection
from circuitsim.motif.checks import is_number, is_whole
from circuitsim.motif.init import Init


def prune(store: WeightStore, name: str, threshold: float | None, quantile: float | None) -> Tensor:
    """Remove weak synapses; see `Circuit.prune`."""
    if (threshold is None) == (quantile is None):
        raise ParameterError(f"projection {name!r}: give threshold or quantile (got {threshold!r} and {quantile!r})")
    if threshold is not None and not (is_number(threshold) and threshold >= 0):
        raise ParameterError(f"projection {name!r}: threshold must be a number, 0 or more (got {threshold!r})")
    if quantile is not None and not (is_number(quantile) and 0 <= quantile <= 1):
        raise ParameterError(f"projection {name!r}: quantile must be a number in [0, 1] (got {quantile!r})")
    values = store.values(store.own_name(name))
    gone = ~(values.abs() >= threshold) if threshold is not None else weakest(store, name, float(quantile or 0))
    return remove(store, name, gone)


def weakest(store: WeightStore, name: str, share: float) -> Tensor:
    """The weakest synapses of each replica: a share of those that exist, rounded down, in storage layout.

    Of equal ones, the first row by row go first, and numbers that are not a number before all others.
    """
    values, present = store.values(name), store.present(name)
    sizes = values.abs().nan_to_num(nan=-1.0).masked_fill(present == 0, torch.inf).flatten(1)
    ranks = sizes.argsort(dim=1, stable=True).argsort(dim=1)
    counts = (share * (present != 0).sum((1, 2)).double() + 1e-9).long()  # 0.29 * 100 is a little less than 29
    return (ranks < counts.unsqueeze(1)).view_as(present)


def remove(store: WeightStore, name: str, gone: Tensor) -> Tensor:
    """Remove synapses that exist where `gone` is True, in storage layout, and return how many, ``[replica]``."""
    present = store.present(name)
    lost = gone & (present != 0)
    store.set_mask(name, present.masked_fill_(lost, 0.0))
    return lost.sum((1, 2))


def lesion(store: WeightStore, population: str, neurons: Sequence[int]) -> Tensor:
    """Remove all synapses onto and from neurons; see `Circuit.lesion`."""
    touched = [p for p in store.motif.projections if population in (p.pre, p.post)]
    for p in touched:
        if p.tied_to is not None:
            source = store.motif.projection(p.tied_to.projection)
            ends = (source.post, source.pre) if p.tied_to.transpose else (source.pre, source.post)
            if (p.pre, p.post) != ends:
                raise ParameterError(
                    f"population {population!r}: its neurons cannot be lesioned, because projection {p.name!r} is tied "
                    f"to {source.name!r}, which connects other populations"
                )
    removed = torch.zeros(store.n_replicas, dtype=torch.int64, device=store.like.device)
    store.lesioned[population] = sorted({*store.lesioned.get(population, ()), *neurons})
    for p in touched:
        if p.tied_to is None:
            lost, layout = torch.from_numpy(_rows_and_columns(store, p)), store.layouts[p.name]
            gone = [torch.isin(layout.numbers_of(r).cpu(), lost) for r in range(store.n_replicas)]
            gone_there = torch.stack(gone).view(-1, *layout.value_shape).to(store.like.device)
            removed += remove(store, p.name, gone_there)
    return removed


def _rows_and_columns(store: WeightStore, p: Projection) -> np.ndarray:
    """The numbers of all pairs of which a neuron is lesioned."""
    n_post, n_pre = store.layouts[p.name].shape
    rows = np.array(store.lesioned.get(p.post, []), dtype=np.int64)
    columns = np.array(store.lesioned.get(p.pre, []), dtype=np.int64)
    return np.union1d(rows[:, None] * n_pre + np.arange(n_pre), np.arange(n_post)[:, None] * n_pre + columns)


def grow(
    store: WeightStore,
    p: Projection,
    inits: Sequence[Init],
    seeds: Sequence[int],
    purpose: str,
    replicas: Collection[int],
    n: Sequence[int] | None = None,
    probability: float | None = None,
) -> Tensor:
    """Make new synapses at random places where none is, and return how many have grown, ``[replica]``.

    Args:
        inits: the distribution of the new weights in each replica.
        seeds, purpose: the seed of each replica, and the purpose that keys the draws.
        replicas: the replicas in which synapses grow.
        n: how many grow in each replica; at most as many as there are places.
        probability: or the probability with which one grows at each place.
    Raises:
        ParameterError: there are not enough places; nothing has changed.
    """
    layout, old = store.layouts[p.name], store.synapses(p.name)
    barred = _rows_and_columns(store, p)
    nothing = np.array([], dtype=np.int64)
    new, weights = [nothing] * store.n_replicas, [nothing.astype(float)] * store.n_replicas
    for r in replicas:
        rng = generator(seeds[r], p.name, f"{purpose}/places")
        free = _Free(layout, union(old[r], barred))
        if n is not None and n[r] > free.count:
            raise ParameterError(
                f"projection {p.name!r}: n is {n[r]}, but replica {r} has {free.count} places without a synapse"
            )
        if n is None:
            chosen = draw_some(rng, float(probability or 0), free.count)
        else:
            chosen = rng.choice(free.count, n[r], replace=False)
        new[r] = free.numbers(np.sort(chosen))
        among = union(old[r], new[r])
        weights[r] = draw_weights(inits[r], layout.shape, new[r], seeds[r], p.name, r, f"{purpose}/weights", among)
    store.add_synapses(p.name, new, weights)
    store.bound(p)
    return torch.tensor([len(numbers) for numbers in new], device=store.like.device)


class _Free:
    """The places of a projection at which a synapse can grow, in order: all pairs whose numbers are not `taken`."""

    def __init__(self, layout: Layout, taken: np.ndarray) -> None:
        n_post, n_pre = layout.shape
        self.step = n_pre + 1 if isinstance(layout, OneToOneLayout) else 1  # from one place on the diagonal to the next
        taken = taken[taken % self.step == 0] // self.step if self.step > 1 else taken
        self.count = (n_post if self.step > 1 else n_post * n_pre) - len(taken)
        self.before = taken - np.arange(len(taken))  # how many free places come before each that is taken

    def numbers(self, k: np.ndarray) -> np.ndarray:
        """The numbers of the free places ``k``, counted from 0."""
        return (k + np.searchsorted(self.before, k, side="right")) * self.step


def check_amount(owner: str, n: Any, probability: Any) -> None:
    if (n is None) == (probability is None):
        raise ParameterError(f"{owner}: give n or a probability (got {n!r} and {probability!r})")
    if n is not None and not (is_whole(n) and n >= 0):
        raise ParameterError(f"{owner}: n must be a whole number, 0 or more (got {n!r})")
    if probability is not None and not (is_number(probability) and 0 < probability <= 1):
        raise ParameterError(f"{owner}: probability must be in (0, 1] (got {probability!r})")
