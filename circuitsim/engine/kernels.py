"""Kernels for values of neurons, and for products and reductions over dense, one-to-one and sparse synapses.

A kernel takes the lowering and an instruction, and adds the calls that compute the instruction. A single replica uses
plain matrix products, because a batched product over one replica is slower.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.sparse_products import sampled_product, sparse_current, turned_values
from circuitsim.engine.workspace import Workspace
from circuitsim.plan.instructions import Instruction, Neurons, Operand, Register

Kernel = Callable[[Workspace, Instruction], None]


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an elementwise operation."""
    return tuple(torch.broadcast_shapes(*shapes))  # type: ignore[no-untyped-call]


# -- neurons


def fill(to: Workspace, i: Instruction) -> None:
    """One value for all neurons."""
    (value,), n_samples = i.args, to.n_own if i.out.batch else 1
    shape, is_constant = (to.shape(value) or (1,))[:1], not isinstance(value, Register)
    out = to.buffer(i.out, (*shape, n_samples, i.out.size), constant=is_constant)
    if is_constant:
        out.fill_(to.operand(value))
    else:
        to.put(out, value)


def copy(to: Workspace, i: Instruction) -> None:
    """A value, expanded to all samples and neurons."""
    shape = to.shape(i.args[0])
    if isinstance(i.out.space, Neurons):
        shape = (shape[0], to.n_own if i.out.batch else shape[1], i.out.size)
    to.put(to.buffer(i.out, shape), i.args[0])


def noise(to: Workspace, i: Instruction) -> None:
    """An activity with noise."""
    population, phase, deviation = i.options
    out = to.buffer(i.out, (to.n_replicas, to.n_own, i.out.size))

    def add_noise(activity: Tensor) -> None:
        noise = to.batch.noise(phase, population, out.shape[2])
        torch.add(activity, noise, alpha=deviation, out=out)

    to.calls.add(add_noise, to.operand(i.args[0]))


def signal(to: Workspace, i: Instruction) -> None:
    """A number for each sample that the caller gives."""
    out = to.buffer(i.out, (to.n_replicas, to.n_own, 1))
    name, seen = i.options
    readable = dict(zip(seen, i.registers, strict=True))

    def read() -> None:
        to.readable = readable  # a function of the circuit can read what is computed so far
        try:
            out.copy_(to.batch.signal(name))
        finally:
            to.readable = to.program.readable

    to.calls.add(read)


def shift(to: Workspace, i: Instruction) -> None:
    """The values of the sample before."""
    out = to.buffer(i.out, to.shape(i.args[0]))
    to.calls.add(to.shard.shifted, to.operand(i.args[0]), out=out)


# -- means, summed over this process's samples and divided by the size of the whole batch


def mean(to: Workspace, i: Instruction) -> None:
    """The mean over samples, or over samples and neurons."""
    axes, shape = (1,) if i.op == "batch_mean" else (1, 2), to.shape(i.args[0])
    out = to.buffer(i.out, tuple(1 if axis in axes else n for axis, n in enumerate(shape)))
    to.calls.add(torch.sum, to.operand(i.args[0]), axes, keepdim=True, out=out)
    _average(to, out, shape[1], 1 if i.op == "batch_mean" else shape[2])


def mean_square(to: Workspace, i: Instruction) -> None:
    """The mean square over samples and neurons."""
    r, b, n = to.vectors(i.args[0])
    out = to.buffer(i.out, (r, 1, 1))
    if r == 1:
        flat = to.operand(i.args[0], "flat")
        to.calls.add(torch.dot, flat, flat, out=out.view(()))
    else:
        to.calls.add(torch.linalg.vector_norm, to.operand(i.args[0]), 2, (1, 2), keepdim=True, out=out)
        to.calls.add(Tensor.square_, out)
    _average(to, out, b, n)


def _average(to: Workspace, total: Tensor, n_summed: int, n: int) -> None:
    """Divide a sum over samples and n neurons; a value that all samples share counts once for each sample."""
    to.calls.add(Tensor.mul_, total, to.number(to.scale / n * (to.n_own / n_summed if n_summed else 0.0)))


def mean_of_squares(to: Workspace, i: Instruction) -> None:
    """The mean square of ``A e`` from ``A E[e e^T]`` and A."""
    a, b = map(to.operand, i.args)
    n_rows = a.shape[-2]
    out = to.buffer(i.out, (max(a.shape[0], b.shape[0]), 1, 1))
    product = to.scratch(i.out, "product", a.shape)
    to.calls.add(torch.mul, a, b, out=product)
    to.calls.add(torch.sum, product, (1, 2), keepdim=True, out=out)
    to.calls.add(Tensor.mul_, out, to.number(1.0 / n_rows))
    to.calls.add(Tensor.clamp_, out, 0.0)


def all_reduce(to: Workspace, i: Instruction) -> None:
    """The sum over processes."""
    to.tensors[i.out] = to.tensors[i.registers[0]]
    to.calls.add(to.shard.sum_, to.tensors[i.out])


# -- products of matrices


def multiply(to: Workspace, out: Tensor, a: Any, b: Any, scale: Any = None, keep: Any = 0.0) -> None:
    """``out <- keep out + scale a b`` for each replica; a and b are pairs ``(operand, whether to transpose it)``."""
    if not out.is_contiguous():  # compute the transposed product, in out's memory order
        out, a, b = out.transpose(1, 2), (b[0], not b[1]), (a[0], not a[1])
    if len(out) == 1:
        out, factors = out[0], [to.operand(x, "columns" if turned else "rows") for x, turned in (a, b)]
    else:
        factors = [_each(to, x, turned) for x, turned in (a, b)]
    if scale is None:
        to.calls.add(torch.mm if out.ndim == 2 else torch.bmm, *factors, out=out)
    else:
        added = torch.addmm if out.ndim == 2 else torch.baddbmm
        to.calls.add(added, out, *factors, beta=keep, alpha=scale, out=out)


def _each(to: Workspace, x: Operand, turned: bool) -> Any:
    """An operand for each replica, expanded where all replicas share it."""
    return to.operand(x, "turned" if turned else "", replicas=0 if to.shape(x)[0] == to.n_replicas else to.n_replicas)


def current(to: Workspace, i: Instruction, back: bool) -> None:
    """``I[b] = w y[b]``, or ``w^T y[b]`` with `back`."""
    w, y = i.args
    match i.options[0].layout:
        case "one_to_one":
            shape = broadcast(to.shape(w), to.shape(y))
            to.calls.add(torch.mul, to.operand(y), to.operand(w), out=to.buffer(i.out, shape))
        case "sparse":
            sparse_current(to, i.out, to.layout(i.options[0]), to.operand(w), y, back)
        case _:
            replicas, batch, _ = to.vectors(y)
            out = to.buffer(i.out, (max(to.shape(w)[0], replicas), batch, i.out.size))
            multiply(to, out, (y, False), (w, not back))


def matmul(to: Workspace, i: Instruction) -> None:
    """``out = a b`` for matrices, each of which may be transposed."""
    (a, b), (turn_a, turn_b) = i.args, i.options
    replicas = max(to.shape(a)[0], to.shape(b)[0])
    out = to.buffer(i.out, (replicas, *i.out.shape), turned=is_narrow(i.out.shape))
    multiply(to, out, (a, turn_a), (b, turn_b))


def is_narrow(shape: tuple[int, int]) -> bool:
    """Whether a matrix has fewer columns than rows. BLAS is up to four times faster if its columns are contiguous."""
    return shape[1] < shape[0]


def outer(to: Workspace, i: Instruction) -> None:
    """``E_b[p_i q_j]``."""
    p, q = i.args
    replicas = max(to.vectors(p)[0], to.vectors(q)[0])
    match i.options[0].layout:
        case "one_to_one":
            products = to.scratch(i.out, "products", (replicas, to.n_own, to.vectors(p)[2]))
            out = to.buffer(i.out, (replicas, 1, products.shape[2]))
            to.calls.add(torch.mul, to.operand(p), to.operand(q), out=products)
            to.calls.add(torch.sum, products, (1,), keepdim=True, out=out)
            to.calls.add(Tensor.mul_, out, to.scale)
        case "sparse":
            layout, out = to.at_synapses(i)
            to.calls.add(Tensor.zero_, out)
            sampled_product(to, i.out, layout, out, p, q, 0.0, to.scale)
        case _:
            turned = to.lies_along_post(i.out)
            turned = is_narrow(i.out.shape) if turned is None else turned
            out = to.buffer(i.out, (replicas, *i.out.shape), turned)
            multiply(to, out, (p, True), (q, False), to.scale)


# -- synapses


def turn(to: Workspace, i: Instruction) -> None:
    """The transpose, with pre and post exchanged."""
    (values,), tensor = i.registers, to.tensors[i.registers[0]]
    if i.options[0].layout == "sparse":
        tensor = turned_values(to, i.out, to.layout(values.space), tensor)
    to.tensors[i.out] = tensor.transpose(1, 2) if i.options[0].layout == "dense" else tensor


def place(to: Workspace, i: Instruction, end: str) -> None:
    """Read a vector over the neurons of one end at each synapse. The result is a view, except for sparse synapses."""
    tensor = to.of(i.registers[0])
    if i.options[0].layout == "sparse":
        layout, out = to.at_synapses(i)
        flat = to.scratch(i.out, "flat", (to.n_replicas, 1, tensor.shape[2]))
        to.calls.add(Tensor.copy_, flat, tensor)
        neurons = layout.rows if end == "post" else layout.columns
        to.calls.add(torch.index_select, flat.view(-1), 0, neurons, out=out.view(-1))
    else:
        is_column = end == "post" and i.options[0].layout == "dense"
        to.tensors[i.out] = tensor.transpose(1, 2) if is_column else tensor


def present(to: Workspace, i: Instruction) -> None:
    """A value at each synapse, 0 where there is none."""
    layout, out = to.at_synapses(i)
    to.put(out, i.args[0])
    to.restrict(out, layout)


def reduce(to: Workspace, i: Instruction) -> None:
    """A sum or maximum over synapses."""
    layout = to.layout(i.options[0])
    values = to.scratch(i.out, "values", (to.n_replicas, *layout.value_shape))
    to.put(values, i.args[0])
    reduce_values(to.calls.add, layout, i.options[1], values, to.buffer(i.out, (to.n_replicas, 1, i.out.size)))


def reduce_values(call: Callable[..., object], layout: Any, kind: str, values: Tensor, out: Tensor) -> None:
    """Compute the sum or maximum over the synapses of a neuron (in) or of an axon (out).

    Args:
        call: makes a call at once, or adds it to a list.
        kind: "sum_in", "sum_out", "max_in" or "max_out".
        values: ``[R, post, pre]``, one-to-one ``[R, 1, neuron]``, sparse ``[R, 1, K]``; absent ones are overwritten.
        out: ``[R, 1, neuron]``.
    """
    is_sum, axis = kind.startswith("sum"), 0 if kind.endswith("in") else 1
    nothing = 0.0 if is_sum else -torch.inf
    if layout.absent is not None:
        call(Tensor.masked_fill_, values, layout.absent, nothing)
    if isinstance(layout, SparseLayout):
        neurons = layout.columns if axis else layout.rows
        call(Tensor.fill_, out, nothing)
        call(Tensor.scatter_reduce_, out.view(-1), 0, neurons, values.view(-1), "sum" if is_sum else "amax")
    elif values.shape[1:] == layout.shape:
        call(torch.sum if is_sum else torch.amax, values, 2 - axis, out=out[:, 0])
    else:
        call(Tensor.copy_, out, values)
    if not is_sum:  # the maximum over no synapses is 0
        call(torch.nan_to_num, out, nan=torch.nan, posinf=torch.inf, neginf=0.0, out=out)


def rank(to: Workspace, i: Instruction) -> None:
    """0 for the largest of a sample's neurons, 1 for the next, ...; equal ones in order of index."""
    (x,) = i.args
    shape = to.vectors(x)
    values, out = to.scratch(i.out, "values", shape), to.buffer(i.out, shape)
    order = torch.empty(shape, dtype=torch.int64, device=to.like.device)
    places = torch.arange(shape[2], dtype=to.like.dtype, device=to.like.device).expand(shape)
    to.calls.add(torch.sort, to.operand(x), stable=True, dim=-1, descending=True, out=(values, order))
    to.calls.add(Tensor.scatter_, out, -1, order, places)


KERNELS: dict[str, Kernel] = {
    "fill": fill,
    "copy": copy,
    "noise": noise,
    "signal": signal,
    "shift": shift,
    "mean": mean,
    "batch_mean": mean,
    "mean_square": mean_square,
    "mean_of_squares": mean_of_squares,
    "all_reduce": all_reduce,
    "current": functools.partial(current, back=False),
    "back_current": functools.partial(current, back=True),
    "matmul": matmul,
    "outer": outer,
    "turn": turn,
    "at_post": functools.partial(place, end="post"),
    "at_pre": functools.partial(place, end="pre"),
    "present": present,
    "reduce": reduce,
    "rank": rank,
}
