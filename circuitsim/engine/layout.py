"""Storage layouts of synapses: an array, one number per neuron, or a list.

In tensor shapes, R is the number of replicas, B the number of samples, and post and pre are the numbers of neurons. A
leading 1 in place of R means that all replicas share the values. `values` holds one number per synapse, in the layout's
own shape ``[R, .., ..]``; vectors over neurons have shape ``[R, B or 1, neuron]``.
"""

from __future__ import annotations

import abc
import functools
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from circuitsim.motif import Motif
from circuitsim.plan.fields import Fields, fields_of

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")


class Layout(abc.ABC):
    """The storage layout of one projection.

    Args:
        shape: (post, pre).
        mask: 1 where a synapse exists, in the layout's shape with R or 1 replicas, or None if all exist.

    Attributes:
        along_post: whether neighbours in memory are neighbours in post rather than in pre.
    """

    along_post = False

    def __init__(self, shape: tuple[int, int], mask: Tensor | None) -> None:
        self.shape = shape
        self.mask = mask

    @property
    def mask(self) -> Tensor | None:
        return self._mask

    @mask.setter
    def mask(self, mask: Tensor | None) -> None:
        self._mask = mask
        self.absent = None if mask is None else mask == 0

    def restrict_(self, values: Tensor) -> Tensor:
        """Set absent synapses to 0, in place, since a rule may have computed another value there (such as inf * 0)."""
        return values if self.absent is None else values.masked_fill_(self.absent, 0.0)

    def laid(self, values: Tensor) -> Tensor:
        """The same values in this layout's memory order."""
        return values

    @property
    @abc.abstractmethod
    def value_shape(self) -> tuple[int, int]:
        """The shape of the values of one replica."""

    @abc.abstractmethod
    def pack(self, dense: Tensor) -> Tensor:
        """Convert an array ``[R, post, pre]`` to values."""

    @abc.abstractmethod
    def dense(self, values: Tensor) -> Tensor:
        """Convert values to an array ``[R, post, pre]``, which may be large for sparse synapses."""

    @abc.abstractmethod
    def transposed(self, values: Tensor) -> Tensor:
        """Convert values of this layout to values of `reversed`, as a view where possible."""

    def reversed(self) -> Layout:
        """The layout of the same synapses with both ends swapped."""
        return type(self)(self.shape[::-1], None if self.mask is None else self.transposed(self.mask))

    def matrix(self, values: Tensor) -> Tensor:
        """A copy of values as ``[R, post, pre]``, or as sparse CSR matrices for sparse layouts."""
        return self.dense(values).clone(memory_format=torch.contiguous_format)

    def from_matrix(self, matrix: Tensor) -> Tensor:
        """Convert ``[R or 1, post, pre]`` to values, dense or as returned by `matrix`.

        Raises:
            ValueError: a number is not 0 where there is no synapse.
        """
        dense = matrix.to_dense() if matrix.layout != torch.strided else matrix
        values = self.pack(dense)
        kept = values if self.mask is None else values * self.mask
        if int(torch.count_nonzero(dense)) * len(kept) != int(torch.count_nonzero(kept)) * len(dense):
            raise ValueError("a number is given where there is no synapse")
        return values

    def place(self, weights: Sequence[np.ndarray], like: Tensor) -> Tensor:
        """Convert weights given for the synapses of each replica to values of the data type and device of `like`."""
        given, shape = torch.from_numpy(np.concatenate(weights)), (len(weights), *self.value_shape)
        if self.mask is None:
            values = given.view(shape)
        else:
            values = torch.zeros(shape, dtype=given.dtype)
            values[(self.mask.cpu() != 0).expand(shape)] = given
        return values.to(dtype=like.dtype).to(device=like.device)

    @abc.abstractmethod
    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        """Where the values of one replica's synapses are stored; ``post * n_pre + pre`` numbers a synapse."""

    @abc.abstractmethod
    def numbers_of(self, replica: int) -> Tensor:
        """The numbers of all places of one replica, whether there is a synapse or not, in order."""

    def numbered(self, replica: int) -> Tensor:
        """The numbers of the synapses of one replica, row by row."""
        numbers = self.numbers_of(replica)
        return self.at_synapses(numbers.view(1, *self.value_shape), replica)

    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        """Indices (post, pre) of the synapses of one replica, row by row."""
        numbers = self.numbered(replica)
        return numbers // self.shape[1], numbers % self.shape[1]

    def at_synapses(self, values: Tensor, replica: int) -> Tensor:
        """A copy of the values at `synapses`, shape ``[synapse]``."""
        chosen = values[replica if len(values) > 1 else 0]
        if self.mask is None:
            return chosen.clone(memory_format=torch.contiguous_format).view(-1)
        return chosen[self.mask[replica if len(self.mask) > 1 else 0].to(chosen.device) != 0]


class DenseLayout(Layout):
    """An array ``[R, post, pre]``; absent synapses hold 0."""

    @classmethod
    def of(cls, shape: tuple[int, int], synapses: Sequence[np.ndarray], like: Tensor) -> DenseLayout:
        """Make a layout from the numbers of the synapses of each replica, or of one for all; if none, all exist."""
        mask = like.new_zeros(len(synapses), *shape)
        for own, present in zip(mask, synapses, strict=True):
            own.view(-1)[torch.from_numpy(present).to(like.device)] = 1.0
        return cls(shape, mask if synapses else None)

    def lie_along_post(self) -> None:
        """Change the memory order so that neighbours in memory are neighbours in post."""
        self.along_post = True
        if self.mask is not None:
            self.mask = self.laid(self.mask)

    def laid(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2).contiguous().transpose(1, 2) if self.along_post else values

    @property
    def value_shape(self) -> tuple[int, int]:
        return self.shape

    def pack(self, dense: Tensor) -> Tensor:
        return self.laid(dense)

    def dense(self, values: Tensor) -> Tensor:
        return values

    def transposed(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)

    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        return numbers // self.shape[1], numbers % self.shape[1]

    def numbers_of(self, replica: int) -> Tensor:
        return torch.arange(self.shape[0] * self.shape[1])


class OneToOneLayout(Layout):
    """A vector ``[R, 1, neuron]``."""

    @property
    def value_shape(self) -> tuple[int, int]:
        return (1, self.shape[0])

    def pack(self, dense: Tensor) -> Tensor:
        return dense.diagonal(dim1=1, dim2=2).unsqueeze(1).clone()

    def dense(self, values: Tensor) -> Tensor:
        return torch.diag_embed(values[:, 0])

    def transposed(self, values: Tensor) -> Tensor:
        return values

    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(numbers), numbers // self.shape[1]

    def numbers_of(self, replica: int) -> Tensor:
        return torch.arange(self.shape[0]) * (self.shape[1] + 1)


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
        mask = None if self.mask is None else self.transposed(self.mask)
        return SparseLayout(self.shape[::-1], self.turn[0], mask, self)

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

    def numbers_of(self, replica: int) -> Tensor:
        return self.numbers[replica]

    def block_diagonal(self, values: Tensor) -> Tensor:
        """The matrices of all replicas as one block-diagonal matrix ``[R post, R pre]``, which shares the memory of
        `values`."""
        return torch.sparse_csr_tensor(self.offsets, self.columns, values.view(-1), self.size, check_invariants=False)


def derive(motif: Motif, layouts: dict[str, Layout]) -> None:
    """Give tied projections the layouts of those that they are tied to."""
    for p in motif.projections:
        if p.tied_to is not None:
            source = layouts[p.tied_to.projection]
            layouts[p.name] = source.reversed() if p.tied_to.transpose else source


def _filled(present: np.ndarray, n_places: int) -> tuple[np.ndarray, np.ndarray]:
    """Pad synapses with absent places to `n_places`. Return the places in order, and which of them are synapses."""
    n_missing = n_places - len(present)
    absent = np.setdiff1d(np.arange(n_places if n_missing else 0), present, assume_unique=True)[:n_missing]
    places = np.concatenate([present, absent])
    order = np.argsort(places, kind="stable")
    return places[order], order < len(present)
