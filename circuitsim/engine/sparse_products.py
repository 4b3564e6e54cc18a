"""Products with sparse synapses.

Local fields are multiplied place by place as dense matrices, which is several times as fast as a list of synapses.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.workspace import Workspace
from circuitsim.plan.fields import Fields
from circuitsim.plan.instructions import Operand, Register


def sparse_current(to: Workspace, out: Register, layout: SparseLayout, values: Tensor, y: Operand, back: bool) -> None:
    """``out[b] = w y[b]``, or ``w^T y[b]`` with `back`."""
    if layout.fields is None and (back or layout.reverses_fields):
        layout, values, back = layout.other_side, turned_values(to, out, layout, values), not back
    columns = _columns_of(to, out, "columns", y)
    n_out, batch = layout.shape[1 if back else 0], columns.shape[1]
    product = to.buffer(out, (to.n_replicas, batch, n_out), turned=True).transpose(1, 2).view(-1, batch)
    if layout.fields is None:
        to.calls.add(torch.addmm, product, layout.block_diagonal(values), columns, beta=0.0, out=product)
        return
    fields = layout.fields
    seen, fold = _index_of(fields, to), _fold(fields, layout.shape[1], to) if back else None
    patches = _patches(to, out, fields, batch)
    each = zip(product.chunk(to.n_replicas), values, columns.chunk(to.n_replicas), strict=True)
    for result, w, given in each:
        if fold is None:
            to.calls.add(torch.index_select, given, 0, seen, out=patches.view(-1, batch))
            to.calls.add(torch.bmm, _by_place(w, fields), patches, out=_by_place(result, fields))
        else:
            to.calls.add(torch.bmm, _by_place(w, fields).transpose(1, 2), _by_place(given, fields), out=patches)
            to.calls.add(torch.addmm, result, fold, patches.view(-1, batch), beta=0.0, out=result)


def sampled_product(
    to: Workspace, owner: object, layout: SparseLayout, values: Tensor, p: Operand, q: Operand, keep: Any, scale: Any
) -> None:
    """``values <- keep values + scale sum_b p q`` at the synapses."""
    if layout.fields is None and layout.reverses_fields:
        other = layout.other_side
        product = to.scratch(owner, "reversed", (to.n_replicas, *other.value_shape))
        sampled_product(to, (owner, "reversed"), other, product, q, p, 0.0, scale)
        to.calls.add(Tensor.mul_, values, keep)
        to.calls.add(Tensor.add_, values, turned_values(to, owner, other, product))
        return
    left, right = _columns_of(to, owner, "post", p), _columns_of(to, owner, "pre", q)
    if layout.fields is None:
        matrix = layout.block_diagonal(values)
        to.calls.add(torch.sparse.sampled_addmm, matrix, left, right.T, beta=keep, alpha=scale, out=matrix)
        return
    fields, batch = layout.fields, left.shape[1]
    seen, patches = _index_of(fields, to), _patches(to, owner, fields, batch)
    for w, post, pre in zip(values, left.chunk(to.n_replicas), right.chunk(to.n_replicas), strict=True):
        to.calls.add(torch.index_select, pre, 0, seen, out=patches.view(-1, batch))
        at, vectors = _by_place(w, fields), _by_place(post, fields)
        to.calls.add(torch.baddbmm, at, vectors, patches.transpose(1, 2), beta=keep, alpha=scale, out=at)


def turned_values(to: Workspace, owner: object, layout: SparseLayout, values: Tensor) -> Tensor:
    """The values in the order of the reversed layout."""
    order = layout.turn[1].unsqueeze(1)
    out = to.scratch(owner, "turned", tuple(order.shape))
    to.calls.add(torch.gather, values.expand_as(order), 2, order, out=out)
    return out


def _columns_of(to: Workspace, owner: object, what: str, vectors: Operand) -> Tensor:
    """``[R, B, n]`` as ``[R n, B]``."""
    _, batch, n = to.vectors(vectors)
    columns = to.scratch(owner, what, (to.n_replicas, n, batch))
    to.calls.add(Tensor.copy_, columns, to.operand(vectors, "turned"))
    return columns.view(to.n_replicas * n, batch)


# -- local fields, of one replica


def _by_place(values: Tensor, fields: Fields) -> Tensor:
    """Weights, or ``[post, B]``, as a view ``[place, channel, ...]``."""
    return values.view(fields.n_channels, len(fields.seen), -1).transpose(0, 1)


def _patches(to: Workspace, owner: object, fields: Fields, batch: int) -> Tensor:
    """Memory for what each place sees, ``[place, input, B]``."""
    return to.scratch(owner, "patches", (*fields.seen.shape, batch))


def _index_of(fields: Fields, to: Workspace) -> Tensor:
    """The presynaptic neuron at each input of each place."""
    return torch.from_numpy(fields.seen.reshape(-1)).to(to.like.device)


def _fold(fields: Fields, n_pre: int, to: Workspace) -> Tensor:
    """The matrix ``[pre, place * input]`` that adds up what all places deliver to a presynaptic neuron."""
    neurons = _index_of(fields, to)
    order = neurons.argsort(stable=True)
    ends = torch.bincount(neurons, minlength=n_pre).cumsum(0)
    offsets = torch.cat([ends.new_zeros(1), ends])
    size = (n_pre, len(order))
    return torch.sparse_csr_tensor(offsets, order, to.like.new_ones(len(order)), size, check_invariants=False)
