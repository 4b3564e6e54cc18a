"""How the synapses of a projection are stored, and what can be computed over them.

Notation used for tensor shapes: R replicas, B samples, post and pre neurons. A leading 1 in place of R means
"the same for all replicas". `values` holds one number a synapse, in the layout's own shape; vectors over
neurons have shape ``[R, B or 1, neuron]``.
"""

from __future__ import annotations

import abc

import torch
from torch import Tensor


class Layout(abc.ABC):
    """Storage of one projection."""

    def __init__(self, shape: tuple[int, int], mask: Tensor | None) -> None:
        self.shape = shape  # (post, pre)
        self.mask = mask  # 1 where a synapse is present, in the layout's shape with R or 1 replicas; None: all

    @abc.abstractmethod
    def pack(self, dense: Tensor) -> Tensor:
        """From ``[R, post, pre]`` to values."""

    @abc.abstractmethod
    def dense(self, values: Tensor) -> Tensor:
        """From values to ``[R, post, pre]``."""

    @abc.abstractmethod
    def current(self, values: Tensor, pre: Tensor) -> Tensor:
        """``I[r, b, i] = sum_j w[r, i, j] pre[r, b, j]``."""

    @abc.abstractmethod
    def back_current(self, values: Tensor, post: Tensor) -> Tensor:
        """``sum_i w[r, i, j] post[r, b, i]``: from the postsynaptic side."""

    @abc.abstractmethod
    def moment_sum(self, post: Tensor, pre: Tensor) -> Tensor:
        """``sum_b post[r, b, i] pre[r, b, j]``, as values."""

    @abc.abstractmethod
    def at_post(self, vector: Tensor) -> Tensor:
        """A vector over postsynaptic neurons, ``[R, 1, post]``, read at each synapse."""

    @abc.abstractmethod
    def at_pre(self, vector: Tensor) -> Tensor:
        """A vector over presynaptic neurons, ``[R, 1, pre]``, read at each synapse."""

    @abc.abstractmethod
    def reduce(self, kind: str, values: Tensor) -> Tensor:
        """sum_in, max_in: ``[R, 1, post]``; sum_out, max_out: ``[R, 1, pre]``; over present synapses."""

    @abc.abstractmethod
    def transposed(self, values: Tensor) -> Tensor:
        """The values of the layout with both ends swapped."""

    def present(self, values: Tensor) -> Tensor:
        """The values with 0 at absent synapses, whatever a rule makes of a weight of 0 (inf * 0 is not 0)."""
        return values if self.mask is None else values.masked_fill(self.mask == 0, 0.0)


class DenseLayout(Layout):
    """An array ``[R, post, pre]``; absent synapses hold 0."""

    def pack(self, dense: Tensor) -> Tensor:
        return dense

    def dense(self, values: Tensor) -> Tensor:
        return values

    def current(self, values: Tensor, pre: Tensor) -> Tensor:
        n_replicas, n_post, n_pre = values.shape
        if pre.shape[0] == n_replicas:
            return torch.bmm(pre, values.transpose(1, 2))
        # All replicas see the same input: one product with the stacked weights.
        stacked = pre[0] @ values.reshape(n_replicas * n_post, n_pre).T
        return stacked.view(-1, n_replicas, n_post).transpose(0, 1)

    def back_current(self, values: Tensor, post: Tensor) -> Tensor:
        return self.current(values.transpose(1, 2), post)

    def moment_sum(self, post: Tensor, pre: Tensor) -> Tensor:
        if post.shape[0] == pre.shape[0]:
            return torch.bmm(post.transpose(1, 2), pre)
        if pre.shape[0] == 1:
            return (_stack(post).T @ pre[0]).view(post.shape[0], *self.shape)
        return (_stack(pre).T @ post[0]).view(pre.shape[0], *self.shape[::-1]).transpose(1, 2)

    def add_moment_(self, values: Tensor, post: Tensor, pre: Tensor, keep: float, rate: float) -> None:
        """``values <- keep * values + rate * sum_b post pre``, in place, in one pass over the weights."""
        if post.shape[0] == pre.shape[0] == values.shape[0]:
            values.baddbmm_(post.transpose(1, 2), pre, beta=keep, alpha=rate)
        elif pre.shape[0] == 1 < post.shape[0]:
            values.view(-1, self.shape[1]).addmm_(_stack(post).T, pre[0], beta=keep, alpha=rate)
        else:
            values.mul_(keep).add_(self.moment_sum(post, pre), alpha=rate)

    def at_post(self, vector: Tensor) -> Tensor:
        return vector.transpose(1, 2)

    def at_pre(self, vector: Tensor) -> Tensor:
        return vector

    def reduce(self, kind: str, values: Tensor) -> Tensor:
        values = values.expand(-1, *self.shape)
        axis = 2 if kind.endswith("in") else 1
        if kind.startswith("sum"):
            return self.present(values).sum(axis).unsqueeze(1)
        if self.mask is not None:
            values = values.masked_fill(self.mask == 0, -torch.inf)
        largest = values.amax(axis).unsqueeze(1)
        return largest.masked_fill(largest == -torch.inf, 0.0)  # a neuron without synapses

    def transposed(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)


class OneToOneLayout(Layout):
    """One synapse a neuron: ``[R, 1, neuron]``."""

    def pack(self, dense: Tensor) -> Tensor:
        return dense.diagonal(dim1=1, dim2=2).unsqueeze(1).clone()

    def dense(self, values: Tensor) -> Tensor:
        return torch.diag_embed(values[:, 0])

    def current(self, values: Tensor, pre: Tensor) -> Tensor:
        return pre * values

    def back_current(self, values: Tensor, post: Tensor) -> Tensor:
        return post * values

    def moment_sum(self, post: Tensor, pre: Tensor) -> Tensor:
        return (post * pre).sum(1, keepdim=True)

    def at_post(self, vector: Tensor) -> Tensor:
        return vector

    def at_pre(self, vector: Tensor) -> Tensor:
        return vector

    def reduce(self, kind: str, values: Tensor) -> Tensor:
        return self.present(values.expand(-1, 1, self.shape[0]))

    def transposed(self, values: Tensor) -> Tensor:
        return values


def _stack(vectors: Tensor) -> Tensor:
    """``[R, B, n]`` to ``[B, R * n]``; a view where `current` made it from a shared input."""
    n_replicas, n_samples, size = vectors.shape
    return vectors.transpose(0, 1).reshape(n_samples, n_replicas * size)


LAYOUTS: dict[str, type[Layout]] = {"dense": DenseLayout, "one_to_one": OneToOneLayout}
