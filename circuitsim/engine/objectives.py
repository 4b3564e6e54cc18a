"""Kernels for the losses and errors of objectives.

Outputs are ``[R, B, n]``, targets ``[R or 1, B, n]``, or ``[R or 1, B, 1]`` if they are classes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.kernels import Kernel, broadcast
from circuitsim.engine.workspace import Workspace
from circuitsim.plan import Instruction

LANES = 16  # the numbers that a processor handles in one vector instruction


def _soft(function: Callable[..., Tensor], to: Workspace, i: Instruction) -> None:
    """The softmax or its logarithm, ``y - log sum exp y``, over classes.

    On the CPU, torch handles the classes of a sample one by one if they are few, but many samples in parallel if the
    classes lie along the middle axis in memory. With 10 classes this takes a twentieth of the time.
    """
    (y,) = i.args
    shape = to.vectors(y)
    if shape[2] >= LANES or shape[0] * shape[1] < LANES or to.like.device.type != "cpu":
        to.calls.add(function, to.operand(y), -1, out=to.buffer(i.out, shape))
        return
    turned = to.scratch(i.out, "turned", (shape[0], shape[2], shape[1]))
    to.calls.add(Tensor.copy_, turned, to.operand(y, "turned"))
    to.calls.add(function, turned, 1, out=to.buffer(i.out, shape, turned=True).transpose(1, 2))


def _error_of_classes(to: Workspace, i: Instruction) -> None:
    """``onehot - softmax(y)``, computed from log softmax, in its memory order."""
    log_probabilities, target = i.registers
    shape, turned = to.shape(log_probabilities), not to.tensors[log_probabilities].is_contiguous()
    out = to.buffer(i.out, (max(shape[0], to.shape(target)[0]), *shape[1:]), turned)
    to.calls.add(torch.exp, to.operand(log_probabilities), out=out if len(out) == shape[0] else out[:1])
    if len(out) != shape[0]:  # all replicas share the output, but not the targets
        to.calls.add(Tensor.copy_, out[1:], out[:1])
    to.calls.add(Tensor.neg_, out)
    to.calls.add(Tensor.scatter_, out, -1, to.classes(target, len(out)), 1.0, reduce="add")


def _error_of_numbers(to: Workspace, i: Instruction) -> None:
    """``t - y``, or ``t - sigmoid(y)`` of labels."""
    y, target = i.args
    output = to.operand(y)
    if i.options[0] == "bce":
        output = to.scratch(i.out, "sigmoid", to.shape(y))
        to.calls.add(torch.sigmoid, to.operand(y), out=output)
    to.calls.add(torch.sub, to.operand(target), output, out=to.buffer(i.out, broadcast(*map(to.shape, i.args))))


def one_hot(to: Workspace, i: Instruction) -> None:
    (target,) = i.args
    classes = to.classes(target, to.shape(target)[0])
    out = to.buffer(i.out, (*classes.shape[:2], i.out.size))
    to.calls.add(Tensor.zero_, out)
    to.calls.add(Tensor.scatter_, out, -1, classes, 1.0)


def _mean_loss(to: Workspace, i: Instruction, losses: Tensor, scale: Any) -> None:
    """The sum of losses ``[R, B, n]`` over samples and neurons, times `scale`."""
    out = to.buffer(i.out, (losses.shape[0], 1, 1))
    to.calls.add(torch.sum, losses, (1, 2), keepdim=True, out=out)
    to.calls.add(Tensor.mul_, out, scale)


def _cross_entropy(to: Workspace, i: Instruction) -> None:
    log_probabilities, target = i.registers
    shape = to.shape(log_probabilities)
    replicas = max(shape[0], to.shape(target)[0])
    classes = to.classes(target, replicas)
    # with few samples the calls take the time, so there is one
    if replicas == 1 and to.shard.is_whole and 0 < to.n_own < LANES:
        out, weight = to.buffer(i.out, (1, 1, 1)), to.like.new_empty(())
        mean = torch.ops.aten.nll_loss_forward.output
        rows, indices = to.operand(log_probabilities, "rows"), classes[0, :, 0]
        to.calls.add(mean, rows, indices, None, 1, -100, output=out.view(()), total_weight=weight)
        return
    chosen = to.scratch(i.out, "chosen", tuple(classes.shape))
    spread = to.tensors[log_probabilities].expand(replicas, *shape[1:])
    to.calls.add(torch.gather, spread, -1, classes, out=chosen)
    out = to.buffer(i.out, (replicas, 1, 1))
    to.calls.add(torch.sum, chosen, (1,), keepdim=True, out=out)
    to.calls.add(Tensor.mul_, out, -to.scale)


def _mse(to: Workspace, i: Instruction) -> None:
    """``|y - t|^2 / 2``."""
    shape = broadcast(*map(to.shape, i.args))
    squares = to.scratch(i.out, "squares", shape)
    to.calls.add(torch.sub, *map(to.operand, i.args), out=squares)
    to.calls.add(Tensor.square_, squares)
    _mean_loss(to, i, squares, to.scale / 2)


def _bce(to: Workspace, i: Instruction) -> None:
    """``log(1 + exp(y)) - y t``, summed over labels; logaddexp does not overflow."""
    y, target = i.args
    shape = broadcast(*map(to.shape, i.args))
    softplus, losses = to.scratch(i.out, "softplus", to.shape(y)), to.scratch(i.out, "losses", shape)
    to.calls.add(torch.logaddexp, to.operand(y), to.like.new_zeros(()), out=softplus)
    to.calls.add(torch.mul, to.operand(y), to.operand(target), out=losses)
    to.calls.add(torch.sub, softplus, losses, out=losses)
    _mean_loss(to, i, losses, to.number(to.scale))


ERRORS = {"cross_entropy": _error_of_classes, "mse": _error_of_numbers, "bce": _error_of_numbers}
LOSSES = {"cross_entropy": _cross_entropy, "mse": _mse, "bce": _bce}
KERNELS: dict[str, Kernel] = {
    "softmax": functools.partial(_soft, torch.softmax),
    "log_softmax": functools.partial(_soft, torch.log_softmax),
    "one_hot": one_hot,
    "error": lambda to, i: ERRORS[i.options[0]](to, i),
    "loss": lambda to, i: LOSSES[i.options[0]](to, i),
}
