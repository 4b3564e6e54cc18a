"""The sparse layout, which stores only synapses that exist, in compressed sparse rows.

Products treat the replicas as blocks of one block-diagonal matrix.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.layout.base import Layout
from circuitsim.plan.fields import Fields, fields_of

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")


class SparseLayout(Layout):
    """A vector ``[R, 1, K]``, row by row, where K is the largest number of synapses of any replica.

    Replicas with fewer synapses are padded with places without a synapse, which hold 0 and are masked.

    Args:
        shape: (post, pre).
        numbers: ``post * n_pre + pre`` of every place in ascending order, shape ``[R, K]``, on the device.
        mask: 1 where there is a synapse, ``[R, 1, K]``, or None if there is one at every place.
        original: the layout of which this is the reverse, if it was made so.
    """

    def __init__(
        self, shape: tuple[int, int], numbers: Tensor, mask: Tensor | None, original: SparseLayout | None = None
    ) -> None:
        super().__init__(shape, mask)
        self.numbers, self.original = numbers, original
        n_replicas = numbers.shape[0]
        block = torch.arange(n_replicas, device=numbers.device).unsqueeze(1)
        self.size = (n_replicas * shape[0], n_replicas * shape[1])
        self.rows = (numbers // shape[1] + block * shape[0]).flatten()
        self.columns = (numbers % shape[1] + block * shape[1]).flatten()
        counts = torch.bincount(self.rows, minlength=self.size[0])
        self.offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])

    @classmethod
    def of(
        cls, shape: tuple[int, int], synapses: Sequence[np.ndarray], like: Tensor, n_places: int = 0
    ) -> SparseLayout:
        """Make a layout with `n_places` or more from the numbers of the synapses of each replica."""
        n_places = max(n_places, *map(len, synapses))
        filled = [_filled(present, n_places) for present in synapses]
        numbers = torch.from_numpy(np.stack([places for places, _ in filled])).to(like.device)
        masks = torch.from_numpy(np.stack([mask for _, mask in filled])).unsqueeze(1).to(like.device, like.dtype)
        return cls(shape, numbers, None if bool((masks != 0).all()) else masks)

    def place(self, weights: Sequence[np.ndarray], like: Tensor) -> Tensor:
        """Convert weights given for the synapses of each replica to values."""
        values = torch.zeros(self.numbers.shape[0], 1, self.numbers.shape[1], dtype=torch.float64)
        present = torch.ones_like(values, dtype=torch.bool) if self.mask is None else self.mask.cpu() != 0
        values[present] = torch.from_numpy(np.concatenate(weights))
        return values.to(dtype=like.dtype).to(device=like.device)

    @property
    def value_shape(self) -> tuple[int, int]:
        return (1, self.numbers.shape[1])

    def pack(self, dense: Tensor) -> Tensor:
        flat = dense.flatten(1).expand(self.numbers.shape[0], -1)
        return flat.gather(1, self.numbers).unsqueeze(1)

    def dense(self, values: Tensor) -> Tensor:
        n_replicas, n_places = self.numbers.shape
        flat = values.new_zeros(n_replicas, self.shape[0] * self.shape[1])
        return flat.scatter_(1, self.numbers, values.expand(n_replicas, 1, n_places).squeeze(1)).view(-1, *self.shape)

    def reversed(self) -> SparseLayout:
        numbers, order = self.turn
        mask = None if self.mask is None else self.mask.expand(len(order), 1, -1).gather(2, order.unsqueeze(1))
        return SparseLayout(self.shape[::-1], numbers, mask, self)

    def transposed(self, values: Tensor) -> Tensor:
        order = self.turn[1].unsqueeze(1)
        return values.expand_as(order).gather(2, order)

    @functools.cached_property
    def turn(self) -> tuple[Tensor, Tensor]:
        """The numbers of all places with both ends swapped, in ascending order, and the permutation that sorts them;
        both ``[R, K]``."""
        n_post, n_pre = self.shape
        numbers, order = ((self.numbers % n_pre) * n_post + self.numbers // n_pre).sort(dim=1)
        return numbers, order

    @functools.cached_property
    def other_side(self) -> SparseLayout:
        """The same places with both ends swapped; its mask may be out of date."""
        return self.reversed() if self.original is None else self.original

    @functools.cached_property
    def fields(self) -> Fields | None:
        """The local fields, if all replicas have the same; pruned synapses count too."""
        if not bool((self.numbers == self.numbers[:1]).all()):
            return None
        return fields_of(self.numbers[0].cpu().numpy(), self.shape)

    @property
    def reverses_fields(self) -> bool:
        """Whether the layout is the reverse of local fields."""
        return self.original is not None and self.original.fields is not None

    def matrix(self, values: Tensor) -> Tensor:
        """A batch of sparse CSR matrices, in which places without a synapse hold a 0."""
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
        values = matrix.values().unsqueeze(1)
        if self.absent is not None and bool(values.masked_select(self.absent).any()):
            raise ValueError("a number is given where there is no synapse")
        return values

    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        found = torch.searchsorted(self.numbers[replica], numbers.to(self.numbers.device))
        return torch.zeros_like(found), found

    def taken(self, values: Tensor, numbers: Tensor) -> Tensor:
        """Convert values at other places, with numbers ``[R, K]`` in ascending order, to values at the places of this
        layout; 0 at those that were not among them."""
        if not numbers.shape[1]:
            return values.new_zeros(len(self.numbers), *self.value_shape)
        at = torch.searchsorted(numbers, self.numbers).clamp_(max=numbers.shape[1] - 1)
        found = values.expand(len(numbers), 1, -1).squeeze(1).gather(1, at)
        return found.masked_fill_(numbers.gather(1, at) != self.numbers, 0.0).unsqueeze(1)

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        numbers = self.numbers[replica]
        if self.mask is not None:
            numbers = numbers[self.mask[replica if len(self.mask) > 1 else 0, 0] != 0]
        return numbers // self.shape[1], numbers % self.shape[1]

    def at_synapses(self, values: Tensor, replica: int) -> Tensor:
        chosen = values[replica if len(values) > 1 else 0, 0]
        return chosen if self.mask is None else chosen[self.mask[replica if len(self.mask) > 1 else 0, 0] != 0]

    def block_diagonal(self, values: Tensor) -> Tensor:
        """The matrices of all replicas as one block-diagonal matrix ``[R post, R pre]``, which shares the memory of
        `values`."""
        return torch.sparse_csr_tensor(self.offsets, self.columns, values.view(-1), self.size, check_invariants=False)


def _filled(present: np.ndarray, n_places: int) -> tuple[np.ndarray, np.ndarray]:
    """Pad synapses with absent places to `n_places`. Return the places in order, and which of them are synapses."""
    n_missing = n_places - len(present)
    absent = np.setdiff1d(np.arange(n_places if n_missing else 0), present, assume_unique=True)[:n_missing]
    places = np.concatenate([present, absent])
    order = np.argsort(places, kind="stable")
    return places[order], order < len(present)
