"""Run a program with ordinary torch operations, which autograd can differentiate. Nothing is computed in place, and
weights do not change."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from circuitsim.engine.layout import Layout, SparseLayout
from circuitsim.engine.operations import OPERATIONS, OVER_NEURONS
from circuitsim.engine.store import WeightStore
from circuitsim.plan import Instruction, Neurons, Program, Register, Synapses
from circuitsim.plan.instructions import Operand


def run_functionally(
    program: Program, store: WeightStore, inputs: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Compute what can be read of the program of a prediction, which is a sweep without plasticity.

    Args:
        store: states and layouts.
        inputs: arrays ``[replica or 1, batch, neuron]``, keyed by population.
        weights: weights in storage layout, keyed by projection. Tied projections have weights of their own here.
    """
    values: dict[Register, Tensor] = {r: store.own[name] for name, r in program.states.items()}
    values |= {r: inputs[name] for name, r in program.given.inputs.items()}
    n_samples = next(iter(inputs.values())).shape[1]
    for i in program.instructions:
        values[i.out] = _value(i, values, store, weights, n_samples)
    return {name: values[register] for name, register in program.readable.items()}


def projections_of(program: Program) -> list[str]:
    """The projections whose currents a program computes, in order."""
    found = [i.options[0] for i in program.instructions if i.op == "current"]
    return list(dict.fromkeys(s.projection for s in found if isinstance(s, Synapses)))


def _value(
    i: Instruction, values: Mapping[Register, Tensor], store: WeightStore, weights: Mapping[str, Tensor], n_samples: int
) -> Tensor:
    def of(operand: Operand) -> Tensor | float:
        return values[operand] if isinstance(operand, Register) else operand

    if i.op == "current":
        synapses, pre = i.options[0], of(i.args[1])
        assert isinstance(synapses, Synapses) and isinstance(pre, Tensor)
        return deliver(store.layout_of(synapses), weights[synapses.projection], pre)
    args = [of(a) for a in i.args]
    first = args[0]
    if i.op in ("fill", "copy"):
        assert isinstance(i.out.space, Neurons)
        tensor = torch.as_tensor(first, dtype=store.like.dtype, device=store.like.device)
        return tensor.expand(tensor.shape[0] if tensor.ndim else 1, n_samples, i.out.space.size)
    if i.op in OPERATIONS:
        return OPERATIONS[i.op](*args)
    assert isinstance(first, Tensor)
    if i.op in OVER_NEURONS:
        return OVER_NEURONS[i.op](first)
    match i.op:
        case "mean":
            return first.mean((1, 2), keepdim=True)
        case "mean_square":
            return first.square().mean((1, 2), keepdim=True)
        case "turn":
            return first  # a tied weight, whose current reads `weights` instead
    raise AssertionError(f"a prediction has no operation {i.op!r}")


def deliver(layout: Layout, values: Tensor, pre: Tensor) -> Tensor:
    """``I[r, b, i] = sum_j w[r, i, j] pre[r, b, j]``, from weights in storage layout."""
    if isinstance(layout, SparseLayout):
        n_replicas = len(layout.numbers)
        columns = pre.expand(n_replicas, -1, -1).transpose(1, 2).reshape(-1, pre.shape[1])
        product = layout.block_diagonal(values) @ columns
        return product.view(n_replicas, layout.shape[0], pre.shape[1]).transpose(1, 2)
    if values.shape[1:] == layout.shape:
        return pre @ values.transpose(1, 2)
    return pre * values
