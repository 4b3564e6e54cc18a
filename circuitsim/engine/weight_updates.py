"""Kernels that change weights and states in place. Their instructions come last in a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.bounds import limits
from circuitsim.engine.decay import factor_of
from circuitsim.engine.kernels import broadcast, multiply
from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.sparse_products import sampled_product
from circuitsim.engine.workspace import Decay, Slot, Workspace
from circuitsim.plan.instructions import Instruction, Operand, Register


def combination(to: Workspace, i: Instruction) -> None:
    """``sum_k c_k v_k`` at the synapses."""
    layout = to.layout(i.options[0])
    out = to.buffer(i.out, (to.n_replicas, *layout.value_shape), turned=layout.along_post)
    to.calls.add(Tensor.zero_, out)
    _add_terms(to, out, i.args)
    to.restrict(out, layout)


def _add_terms(to: Workspace, out: Tensor, pairs: Sequence[Operand]) -> None:
    """``out <- out + sum_k c_k v_k``."""
    for scale, value in zip(pairs[::2], pairs[1::2], strict=True):
        factor, term = to.operand(scale), to.operand(value)
        if isinstance(term, Tensor) and isinstance(factor, Tensor):
            to.calls.add(Tensor.addcmul_, out, term, factor)
        elif isinstance(term, Tensor):
            to.calls.add(Tensor.add_, out, term, alpha=factor)
        elif isinstance(factor, Tensor):  # the term is one number for all synapses
            to.calls.add(Tensor.add_, out, factor, alpha=term)
        else:
            to.calls.add(Tensor.add_, out, to.operand(scale, times=term))


def change(to: Workspace, i: Instruction) -> None:
    """``w <- (1 - decay) w + sum_k c_k v_k``, or with `accumulate` ``w <- (1 - decay) w + rate a b``, clipped."""
    (old, *_), (decay, *terms), (synapses, bounds, *turns) = i.registers, i.args[1:], i.options
    layout, w = to.layout(synapses), to.tensors[old]
    to.tensors[i.out] = w
    to.decay_factors[old] = keep = decay_factor(to, decay, old)
    if i.op == "accumulate":
        _accumulate_product(to, w, layout, old.name, keep, terms, turns)
    else:
        if decay != 0.0:
            to.calls.add(_decay, w, keep)
        _add_terms(to, w, terms)
    if bounds is not None:
        to.calls.add(Tensor.clamp_, w, *limits(bounds, to.like.dtype))
    to.restrict(w, layout)


def _accumulate_product(
    to: Workspace, w: Tensor, layout: Any, name: str, keep: Any, terms: Sequence[Any], turns: Sequence[bool]
) -> None:
    """``w <- keep w + rate a b``; the product is accumulated directly in the weights. Without `turns`, a and b are
    vectors, and ``a b`` is the batch mean of products."""
    rate, a, b = terms
    if isinstance(keep, Tensor):  # one factor for each replica
        to.calls.add(Tensor.mul_, w, keep)
        keep = 1.0
    scale = 1.0 if turns else to.scale
    factor = to.operand(rate, times=scale)
    if isinstance(factor, Tensor):
        a, factor = _scaled(to, name, a, factor), scale
    if isinstance(layout, SparseLayout):
        sampled_product(to, name, layout, w, a, b, keep, factor)
    else:
        turn_a, turn_b = turns or (True, False)
        multiply(to, w, (a, turn_a), (b, turn_b), factor, keep)


def _scaled(to: Workspace, name: str, a: Register, factor: Tensor) -> Register:
    shape = broadcast(to.shape(a), factor.shape)
    scaled = Register(f"{a.name} scaled for {name}", a.space, a.batch)
    to.calls.add(torch.mul, to.operand(a), factor, out=to.buffer(scaled, shape))
    return scaled


def assign(to: Workspace, i: Instruction) -> None:
    to.tensors[i.out] = to.tensors[i.registers[0]]
    to.put(to.tensors[i.out], i.args[1])


def decay_factor(to: Workspace, decay: Operand, weights: Register) -> Any:
    """The factor by which a step multiplies weights: ``1 - decay``, corrected by the owed decay (see `factor_of`)."""
    if decay == 0.0:
        return 1.0
    # the register of a later phase has another name, but owes the same decay
    name = next(name for name, values in to.store.own.items() if values is to.tensors[weights])
    if not to.decays:  # before the first change of a region
        to.decays = []
        to.calls.add(_update_decay_factors, to, to.decays)
    if isinstance(decay, Register) and decay in to.per_replica:
        per_replica = to.like.new_empty(to.shape(decay))
        to.decays.append((decay, name, lambda factors: per_replica.copy_(torch.from_numpy(factors))))
        return per_replica
    factor = Slot(1.0)
    to.decays.append((decay, name, factor.set))
    return factor


def _update_decay_factors(to: Workspace, decays: list[Decay]) -> None:
    owed, dtype = to.store.owed, to.like.dtype
    for decay, name, set_factor in decays:
        set_factor(factor_of(to.scalar(decay), owed, name, dtype))


def _decay(w: Tensor, factor: Tensor | float) -> None:
    if isinstance(factor, Tensor) or factor != 1.0:  # in float32 it is often 1, with all decay owed
        w.mul_(factor)


CHANGES = {"combination": combination, "change": change, "accumulate": change, "assign": assign}
