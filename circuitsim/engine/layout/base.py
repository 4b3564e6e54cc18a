"""The interface of storage layouts.

In tensor shapes, R is the number of replicas, B the number of samples, and post and pre are the numbers of neurons. A
leading 1 in place of R means that all replicas share the values. `values` holds one number per synapse, in the layout's
own shape ``[R, .., ..]``; vectors over neurons have shape ``[R, B or 1, neuron]``.
"""

from __future__ import annotations

import abc

import torch
from torch import Tensor


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
        """Which synapses exist."""
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
    def reversed(self) -> Layout:
        """The layout of the same synapses with both ends swapped."""

    @abc.abstractmethod
    def transposed(self, values: Tensor) -> Tensor:
        """Convert values of this layout to values of `reversed`, as a view where possible."""

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

    @abc.abstractmethod
    def synapses(self, replica: int) -> tuple[Tensor, Tensor]:
        """Indices (post, pre) of the synapses of one replica, row by row."""

    @abc.abstractmethod
    def places(self, numbers: Tensor, replica: int) -> tuple[Tensor, Tensor]:
        """Where the values of one replica's synapses are stored; ``post * n_pre + pre`` numbers a synapse."""

    def at_synapses(self, values: Tensor, replica: int) -> Tensor:
        """The values at `synapses`, shape ``[synapse]``."""
        post, pre = self.synapses(replica)
        return self.dense(values).expand(-1, *self.shape)[replica if len(values) > 1 else 0][post, pre]
