"""How the synapses of a projection are stored, and what can be computed over them.

Notation used for tensor shapes: R replicas, B samples, post and pre neurons. A leading 1 in place of R means
"the same for all replicas". `values` holds one number a synapse, in the layout's own shape ``[R, .., ..]``; vectors
over neurons have shape ``[R, B or 1, neuron]``. `run` is `Workspace.run` for the caller's sites: results are written
into its buffers.
"""

from __future__ import annotations

import abc
from collections.abc import Callable

import torch
from torch import Tensor

Run = Callable[..., Tensor]  # (site, operation, *arguments)


class Layout(abc.ABC):
    """Storage of one projection.

    Args:
        shape: (post, pre).
        mask: 1 where a synapse is present, in the layout's shape with R or 1 replicas; None: all are.

    Attributes:
        along_post: whether neighbours in memory are neighbours in post, not in pre.
    """

    along_post = False

    def __init__(self, shape: tuple[int, int], mask: Tensor | None) -> None:
        self.shape = shape
        self.mask = mask

    @property
    def mask(self) -> Tensor | None:
        """Which synapses are present."""
        return self._mask

    @mask.setter
    def mask(self, mask: Tensor | None) -> None:
        self._mask = mask
        self.absent = None if mask is None else mask == 0

    def restrict_(self, values: Tensor) -> Tensor:
        """Put 0 at absent synapses, in place, whatever a rule made of a weight of 0 (inf * 0 is not 0)."""
        return values if self.absent is None else values.masked_fill_(self.absent, 0.0)

    def laid(self, values: Tensor) -> Tensor:
        """The same values in the order that they have in memory here."""
        return values

    @abc.abstractmethod
    def pack(self, dense: Tensor) -> Tensor:
        """From ``[R, post, pre]`` to values."""

    @abc.abstractmethod
    def dense(self, values: Tensor) -> Tensor:
        """From values to an array ``[R, post, pre]``; not to be used where it would be large."""

    @abc.abstractmethod
    def current(self, run: Run, values: Tensor, pre: Tensor) -> Tensor:
        """``I[r, b, i] = sum_j w[r, i, j] pre[r, b, j]``."""

    @abc.abstractmethod
    def back_current(self, run: Run, values: Tensor, post: Tensor) -> Tensor:
        """``sum_i w[r, i, j] post[r, b, i]``: from the postsynaptic side."""

    @abc.abstractmethod
    def moment(self, run: Run, post: Tensor, pre: Tensor, scale: float) -> Tensor:
        """``scale * sum_b post[r, b, i] pre[r, b, j]``, as values."""

    @abc.abstractmethod
    def add_moment_(self, run: Run, values: Tensor, post: Tensor, pre: Tensor, keep: float, scale: float) -> None:
        """``values <- keep * values + scale * sum_b post pre``, in one pass over the synapses where it can be."""

    @abc.abstractmethod
    def at_post(self, run: Run, vector: Tensor) -> Tensor:
        """A vector over postsynaptic neurons, ``[R, 1, post]``, read at each synapse."""

    @abc.abstractmethod
    def at_pre(self, run: Run, vector: Tensor) -> Tensor:
        """A vector over presynaptic neurons, ``[R, 1, pre]``, read at each synapse."""

    @abc.abstractmethod
    def reduce(self, run: Run, kind: str, values: Tensor) -> Tensor:
        """sum_in, max_in: ``[R, 1, post]``; sum_out, max_out: ``[R, 1, pre]``; over present synapses.

        Absent entries of `values` are overwritten.
        """

    @abc.abstractmethod
    def reversed(self) -> Layout:
        """The layout of the same synapses with both ends swapped."""

    @abc.abstractmethod
    def transposed(self, run: Run, values: Tensor) -> Tensor:
        """Values of this layout as values of `reversed`; a view where it can be."""

    def from_reversed(self, run: Run, values: Tensor) -> Tensor:
        """Values of `reversed` as values of this layout."""
        return self.transposed(run, values)  # where turning twice changes nothing

    def matrix(self, values: Tensor) -> Tensor:
        """A copy as ``[R, post, pre]``, or as sparse CSR matrices where that is how they are stored."""
        return self.dense(values).clone(memory_format=torch.contiguous_format)

    def from_matrix(self, matrix: Tensor) -> Tensor:
        """Values from ``[R or 1, post, pre]``, dense or as `matrix` gives them.

        Raises:
            ValueError: a number that is not 0 where there is no synapse.
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

    def at_synapses(self, values: Tensor, replica: int) -> Tensor:
        """Values at `synapses`, ``[synapse]``."""
        post, pre = self.synapses(replica)
        return self.dense(values).expand(-1, *self.shape)[replica if len(values) > 1 else 0][post, pre]


def spread(vectors: Tensor, n_replicas: int) -> Tensor:
    """Vectors that all replicas share, as many; a view."""
    return vectors if vectors.shape[0] == n_replicas else vectors.expand(n_replicas, -1, -1)


def zero_where_none_(largest: Tensor) -> Tensor:
    """The maximum over no synapses at all, minus infinity, becomes 0, in place."""
    return torch.nan_to_num(largest, nan=torch.nan, posinf=torch.inf, neginf=0.0, out=largest)
