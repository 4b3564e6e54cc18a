"""Kernels that change weights and states in place. Their instructions come last in a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.bounds import limits
from circuitsim.engine.decay import factor_of
from circuitsim.engine.kernels import broadcast, each
from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.operations import fitting
from circuitsim.engine.places import DecayFactor, Number
from circuitsim.engine.sparse_products import sampled_product
from circuitsim.engine.workspace import Decay, Workspace
from circuitsim.plan import Instruction, Register
from circuitsim.plan.instructions import Operand


def combination(to: Workspace, i: Instruction) -> None:
    """``sum_k c_k v_k`` at the synapses."""
    layout = to.layout(i.options[0])
    out = to.buffer(i.out, (to.n_replicas, *layout.value_shape), turned=layout.along_post)
    _combine(to, out, i.args)
    if layout.absent is not None:
        to.calls.add(Tensor.masked_fill_, out, layout.absent, 0.0)


def _combine(to: Workspace, out: Tensor, pairs: tuple[Operand, ...]) -> None:
    """``out <- sum_k c_k v_k``."""
    to.calls.add(Tensor.zero_, out)
    for scale, value in zip(pairs[::2], pairs[1::2], strict=True):
        _add_scaled(to, out, scale, value)


def _add_scaled(to: Workspace, out: Tensor, scale: Operand, value: Operand) -> None:
    """``out <- out + scale * value``."""
    factor, term = to.operand(scale), to.operand(value)
    if not isinstance(term, Tensor):  # one number for all synapses
        factor, term = term, factor
    if isinstance(factor, Tensor):
        to.calls.add(Tensor.addcmul_, out, term, factor)
    elif isinstance(term, Tensor):
        to.calls.add(Tensor.add_, out, term, alpha=factor)
    elif isinstance(term, Number):
        assert isinstance(factor, float)
        to.calls.add(Tensor.add_, out, Number(term.register, factor))
    else:
        to.calls.add(Tensor.add_, out, fitting(term * factor, to.like.dtype))


def change(to: Workspace, i: Instruction) -> None:
    """``w <- (1 - decay) w + sum_k c_k v_k``, clipped."""
    old, decay, *pairs = i.args
    assert isinstance(old, Register)
    synapses, bounds = i.options
    layout, w = to.layout(synapses), to.tensors[old]
    to.tensors[i.out] = w
    to.decay_factors[old] = decay_factor(to, decay, old)
    if decay != 0.0:
        to.calls.add(_decay, w, to.decay_factors[old])
    for scale, value in zip(pairs[::2], pairs[1::2], strict=True):
        _add_scaled(to, w, scale, value)
    _restrict(to, w, layout, bounds)


def accumulate(to: Workspace, i: Instruction) -> None:
    """``w <- (1 - decay) w + rate a b``, clipped. The product is accumulated directly in the weights."""
    old, decay, rate, a, b = i.args
    assert isinstance(old, Register)
    synapses, bounds, *turns = i.options
    layout, w = to.layout(synapses), to.tensors[old]
    to.tensors[i.out] = w
    to.decay_factors[old] = decay_factor(to, decay, old)
    _accumulate_product(to, w, layout, old.name, to.decay_factors[old], rate, a, b, turns)
    _restrict(to, w, layout, bounds)


def _accumulate_product(
    to: Workspace, w: Tensor, layout: Any, name: str, keep: Any, rate: Operand, a: Operand, b: Operand,
    turns: Sequence[object],
) -> None:  # fmt: skip
    """``w <- keep w + rate a b``. Without `turns`, a and b are vectors, and ``a b`` is the batch mean of products."""
    if isinstance(keep, Tensor):  # one factor for each replica
        to.calls.add(Tensor.mul_, w, keep)
        keep = 1.0
    factor = to.operand(rate)
    scale = 1.0 if turns else to.scale
    if isinstance(factor, Tensor):
        a, factor = _scaled(to, name, a, factor), scale
    elif isinstance(factor, Number):
        factor = Number(factor.register, factor.factor * scale)
    else:
        factor = fitting(factor * scale, to.like.dtype)
    if isinstance(layout, SparseLayout):
        sampled_product(to, name, layout, w, a, b, keep, factor)
        return
    first, second = ((a, bool(turns[0])), (b, bool(turns[1]))) if turns else ((a, True), (b, False))
    into = w
    if not w.is_contiguous():  # a product can be accumulated in the weights only in their memory order
        into = w.transpose(1, 2)
        first, second = (second[0], not second[1]), (first[0], not first[1])
    if into.shape[0] == 1:
        rows = [to.operand(x, "columns" if turned else "rows") for x, turned in (first, second)]
        to.calls.add(torch.addmm, into[0], *rows, beta=keep, alpha=factor, out=into[0])
    else:
        to.calls.add(torch.baddbmm, into, each(to, *first), each(to, *second), beta=keep, alpha=factor, out=into)


def _scaled(to: Workspace, name: str, a: Operand, factor: Tensor) -> Register:
    """Multiply a factor of a product by a number for each replica."""
    assert isinstance(a, Register)
    shape = broadcast(to.shape(a), factor.shape)
    scaled = Register(f"{a.name} scaled for {name}", a.space, a.batch)
    to.calls.add(torch.mul, to.operand(a), factor, out=to.buffer(scaled, shape))
    return scaled


def assign(to: Workspace, i: Instruction) -> None:
    """Write the new value of a state."""
    old, value = i.args
    assert isinstance(old, Register)
    to.tensors[i.out] = to.tensors[old]
    operand = to.operand(value)
    function = Tensor.fill_ if isinstance(operand, float | Number) else Tensor.copy_
    to.calls.add(function, to.tensors[old], operand)


def decay_factor(to: Workspace, decay: Operand, weights: Register) -> Any:
    """The factor by which a step multiplies weights: ``1 - decay``, corrected by the owed decay (see `factor_of`)."""
    if decay == 0.0:
        return 1.0
    # the register of a later phase has another name, but owes the same decay
    name = next(name for name, values in to.store.own.items() if values is to.tensors[weights])
    if not to.decays:  # before the first change of a region
        to.decays = []
        to.calls.add(_update_decay_factors, to, to.decays)
    if isinstance(decay, Register) and to.is_per_replica(decay):
        per_replica = to.like.new_empty(to.shape(decay))
        to.decays.append((decay, name, lambda factors: per_replica.copy_(torch.from_numpy(factors))))
        return per_replica
    factor = DecayFactor()
    to.decays.append((decay, name, factor.set))
    return factor


def _update_decay_factors(to: Workspace, decays: list[Decay]) -> None:
    owed, dtype = to.store.owed, to.like.dtype
    for decay, name, set_factor in decays:
        set_factor(factor_of(to.scalar(decay), owed, name, dtype))


def _decay(w: Tensor, factor: Tensor | float) -> None:
    if isinstance(factor, Tensor) or factor != 1.0:  # in float32 it is often 1, with all decay owed
        w.mul_(factor)


def _restrict(to: Workspace, w: Tensor, layout: Any, bounds: Any) -> None:
    """Clip to the bounds, and set absent synapses to 0."""
    if bounds is not None:
        to.calls.add(Tensor.clamp_, w, *limits(bounds, to.like.dtype))
    if layout.absent is not None:
        to.calls.add(Tensor.masked_fill_, w, layout.absent, 0.0)


CHANGES = {"combination": combination, "change": change, "accumulate": accumulate, "assign": assign}
