"""Only the synapses that exist: compressed sparse rows, the replicas as the blocks of one block-diagonal matrix."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout, Run, spread, zero_where_none_

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")


class SparseLayout(Layout):
    """A vector ``[R, 1, K]``, row by row. K is the largest number of synapses of any replica.

    A replica with fewer is filled up with places where it has no synapse; they hold 0 and are masked.

    Args:
        shape: (post, pre).
        numbers: ``post * n_pre + pre`` of every place, rising, shape ``[R, K]``, on the device.
        mask: 1 where there is a synapse, ``[R, 1, K]``; None: everywhere.
    """

    def __init__(self, shape: tuple[int, int], numbers: Tensor, mask: Tensor | None) -> None:
        super().__init__(shape, mask)
        self.numbers = numbers
        n_replicas = numbers.shape[0]
        block = torch.arange(n_replicas, device=numbers.device).unsqueeze(1)
        self.size = (n_replicas * shape[0], n_replicas * shape[1])
        self.rows = (numbers // shape[1] + block * shape[0]).flatten()
        self.columns = (numbers % shape[1] + block * shape[1]).flatten()
        counts = torch.bincount(self.rows, minlength=self.size[0])
        self.offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])

    @classmethod
    def of(cls, shape: tuple[int, int], synapses: Sequence[np.ndarray], like: Tensor) -> SparseLayout:
        """From the numbers of the synapses of each replica."""
        n_places = max(map(len, synapses))
        filled = [_filled(present, n_places) for present in synapses]
        numbers = torch.from_numpy(np.stack([places for places, _ in filled])).to(like.device)
        masks = torch.from_numpy(np.stack([mask for _, mask in filled])).unsqueeze(1).to(like.device, like.dtype)
        return cls(shape, numbers, None if bool((masks != 0).all()) else masks)

    def place(self, weights: Sequence[np.ndarray], like: Tensor) -> Tensor:
        """Numbers given for the synapses of each replica, as values."""
        values = torch.zeros(self.numbers.shape[0], 1, self.numbers.shape[1], dtype=torch.float64)
        present = torch.ones_like(values, dtype=torch.bool) if self.mask is None else self.mask.cpu() != 0
        values[present] = torch.from_numpy(np.concatenate(weights))
        return values.to(dtype=like.dtype).to(device=like.device)

    def pack(self, dense: Tensor) -> Tensor:
        flat = dense.flatten(1).expand(self.numbers.shape[0], -1)
        return flat.gather(1, self.numbers).unsqueeze(1)

    def dense(self, values: Tensor) -> Tensor:
        n_replicas, n_places = self.numbers.shape
        flat = values.new_zeros(n_replicas, self.shape[0] * self.shape[1])
        return flat.scatter_(1, self.numbers, values.expand(n_replicas, 1, n_places).squeeze(1)).view(-1, *self.shape)

    def current(self, run: Run, values: Tensor, pre: Tensor) -> Tensor:
        product = run("current", _times, self._matrix(values), self._columns_of(run, "pre", pre))
        return product.view(len(self.numbers), self.shape[0], product.shape[1]).transpose(1, 2)

    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        return self._other_side.current(run, self.transposed(run, values), post)

    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        values = run("moment", _zeros, (self.numbers.shape[0], 1, self.numbers.shape[1]), post)
        self.add_moment_(run, values, post, pre, 0.0, scale)
        return values

    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        matrix = self._matrix(values)
        left, right = self._columns_of(run, "post", post), self._columns_of(run, "pre", pre)
        torch.sparse.sampled_addmm(matrix, left, right.T, beta=keep, alpha=scale, out=matrix)

    def at_post(self, run: Run, vector: Tensor) -> Tensor:
        return self._at(run, "at_post", vector, self.rows)

    def at_pre(self, run: Run, vector: Tensor) -> Tensor:
        return self._at(run, "at_pre", vector, self.columns)

    def reduce(self, run: Run, kind: str, values: Tensor) -> Tensor:
        end = 0 if kind.endswith("in") else 1
        if kind.startswith("sum"):
            ones = run("ones", _ones, (1, 1, self.shape[1 - end]), values)
            self.restrict_(values)
            return self.current(run, values, ones) if end == 0 else self.back_current(run, values, ones)
        if self.absent is not None:
            values.masked_fill_(self.absent, -torch.inf)
        largest = run("largest", _ones, (self.size[end],), values).fill_(-torch.inf)
        largest.scatter_reduce_(0, self.columns if end else self.rows, values.flatten(), "amax")
        return zero_where_none_(largest).view(-1, 1, self.shape[end])

    def reversed(self) -> SparseLayout:
        numbers, order = self._turn
        mask = None if self.mask is None else self.mask.expand(len(order), 1, -1).gather(2, order.unsqueeze(1))
        return SparseLayout(self.shape[::-1], numbers, mask)

    def transposed(self, run: Run, values: Tensor) -> Tensor:
        order = self._turn[1].unsqueeze(1)
        return run("transposed", torch.gather, values.expand_as(order), 2, order)

    def from_reversed(self, run: Run, values: Tensor) -> Tensor:
        order = self._turn[1].unsqueeze(1)
        return run("from_reversed", _empty_like, values).scatter_(2, order, values)

    @functools.cached_property
    def _turn(self) -> tuple[Tensor, Tensor]:
        """The numbers of all places seen from the other side, and in which order ours stand there; ``[R, K]``."""
        n_post, n_pre = self.shape
        numbers, order = ((self.numbers % n_pre) * n_post + self.numbers // n_pre).sort(dim=1)
        return numbers, order

    @functools.cached_property
    def _other_side(self) -> SparseLayout:
        return self.reversed()

    def matrix(self, values: Tensor) -> Tensor:
        """A batch of sparse CSR matrices; places without a synapse hold a 0."""
        n_replicas, n_places = self.numbers.shape
        first = torch.arange(n_replicas, device=values.device).unsqueeze(1)
        steps = torch.arange(self.shape[0] + 1, device=values.device)
        offsets = self.offsets[first * self.shape[0] + steps] - first * n_places
        entries = values.expand(n_replicas, 1, n_places).squeeze(1).clone()
        return torch.sparse_csr_tensor(
            offsets, self.numbers % self.shape[1], entries, (n_replicas, *self.shape), check_invariants=False
        )

    def from_matrix(self, matrix: Tensor) -> Tensor:
        if matrix.layout != torch.sparse_csr or len(matrix) != len(self.numbers):
            return super().from_matrix(matrix)
        like = self.matrix(matrix.values().new_zeros(self.numbers.shape).unsqueeze(1))
        same = torch.equal(like.col_indices(), matrix.col_indices().long())
        if not same or not torch.equal(like.crow_indices(), matrix.crow_indices().long()):
            return super().from_matrix(matrix)
        return matrix.values().unsqueeze(1)

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        numbers = self.numbers[replica]
        if self.mask is not None:
            numbers = numbers[self.mask[replica if len(self.mask) > 1 else 0, 0] != 0]
        return numbers // self.shape[1], numbers % self.shape[1]

    def at_synapses(self, values: Tensor, replica: int) -> Tensor:
        chosen = values[replica if len(values) > 1 else 0, 0]
        return chosen if self.mask is None else chosen[self.mask[replica if len(self.mask) > 1 else 0, 0] != 0]

    def _matrix(self, values: Tensor) -> Tensor:
        """The block-diagonal matrix, ``[R post, R pre]``, over the same memory as `values`."""
        return torch.sparse_csr_tensor(self.offsets, self.columns, values.view(-1), self.size, check_invariants=False)

    def _columns_of(self, run: Run, site: str, vectors: Tensor) -> Tensor:
        """``[R, B, n]`` as ``[R n, B]``."""
        turned = spread(vectors, self.numbers.shape[0]).transpose(1, 2)
        turned = turned if turned.is_contiguous() else run(site, _copy, turned)
        return turned.reshape(turned.shape[0] * turned.shape[1], turned.shape[2])

    def _at(self, run: Run, site: str, vector: Tensor, neurons: Tensor) -> Tensor:
        flat = spread(vector, self.numbers.shape[0]).reshape(-1)
        return run(site, torch.index_select, flat, 0, neurons).view(self.numbers.shape[0], 1, -1)


def _filled(present: np.ndarray, n_places: int) -> tuple[np.ndarray, np.ndarray]:
    """The synapses and as many absent places as are missing, in order; and which are synapses."""
    n_missing = n_places - len(present)
    absent = np.setdiff1d(np.arange(n_places if n_missing else 0), present, assume_unique=True)[:n_missing]
    places = np.concatenate([present, absent])
    order = np.argsort(places, kind="stable")
    return places[order], order < len(present)


def _times(matrix: Tensor, columns: Tensor, out: Tensor | None = None) -> Tensor:
    if out is None:
        return matrix @ columns
    return torch.addmm(out, matrix, columns, beta=0.0, out=out)


def _copy(tensor: Tensor, out: Tensor | None = None) -> Tensor:
    return tensor.contiguous() if out is None else out.copy_(tensor)


def _zeros(shape: tuple[int, ...], like: Tensor, out: Tensor | None = None) -> Tensor:
    return like.new_zeros(shape) if out is None else out


def _ones(shape: tuple[int, ...], like: Tensor, out: Tensor | None = None) -> Tensor:
    return like.new_ones(shape) if out is None else out


def _empty_like(values: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.empty_like(values) if out is None else out
