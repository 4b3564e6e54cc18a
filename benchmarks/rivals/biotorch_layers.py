"""Feedback alignment, Kolen-Pollack and direct feedback alignment as layers for torch.autograd.

They follow BioTorch (Sanfiz & Akrout 2021, arXiv 2108.13446; MIT), in which a linear layer has a separate matrix for
the backward pass. This implementation is new. It has no biases and one pass over the weights instead of torch.optim,
both of which only make it faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.rivals import Step
from benchmarks.rivals.autograd_sgd import descend


class FeedbackLinear(torch.autograd.Function):
    """The forward pass uses W and the backward pass B, which gets the gradient of W if it needs one (Kolen-Pollack)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor, B: Tensor) -> Tensor:
        """x ``[batch, pre]``, W ``[post, pre]``, B ``[pre, post]``."""
        ctx.save_for_backward(x, B)
        return x @ W.T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """gradient ``[batch, post]``."""
        x, B = ctx.saved_tensors
        of_W = gradient.T @ x
        return gradient @ B.T, of_W, of_W.T if ctx.needs_input_grad[2] else None


class ErrorLinear(torch.autograd.Function):
    """The readout, whose backward pass stores the error for the layers below instead of passing on a gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor, kept: list[Tensor]) -> Tensor:
        """x ``[batch, pre]``, W ``[post, pre]``; the backward pass stores the error in `kept`."""
        ctx.save_for_backward(x)
        ctx.kept = kept
        return x @ W.T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        """gradient ``[batch, output]``."""
        ctx.kept[:] = [gradient]
        return None, gradient.T @ ctx.saved_tensors[0], None


class BlockedLinear(torch.autograd.Function):
    """A linear layer whose backward pass sends no gradient to its input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor) -> Tensor:
        """x ``[batch, pre]``, W ``[post, pre]``."""
        ctx.save_for_backward(x)
        return x @ W.T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        """gradient ``[batch, post]``."""
        return None, gradient.T @ ctx.saved_tensors[0]


class DirectFeedback(torch.autograd.Function):
    """An identity whose backward pass returns the error of the output times B, and ignores its own gradient."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, B: Tensor, kept: list[Tensor]) -> Tensor:
        """h ``[batch, neuron]``, B ``[neuron, output]``."""
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(B)
        ctx.kept = kept
        return h.view_as(h)

    @staticmethod
    def backward(ctx: Any, _: Tensor | None) -> tuple[Tensor, None, None]:
        """Return the gradient of h, ``[batch, neuron]``."""
        return ctx.kept[0] @ ctx.saved_tensors[0].T, None, None


def feedback_alignment(W: Sequence[Tensor], B: Sequence[Tensor]) -> Step:
    """Make a step of feedback alignment.

    Args:
        W: the weights ``[post, pre]`` of each layer, which the step changes in place.
        B: feedback onto each hidden layer, ``[layer l, layer l + 1]``.
    """
    return _step(W, lambda x: _descending(W, B, x))


def kolen_pollack(W: Sequence[Tensor], B: Sequence[Tensor]) -> Step:
    """Make a step of Kolen-Pollack. Arguments are as in `feedback_alignment`; the step changes both in place."""
    return _step([*W, *B], lambda x: _descending(W, B, x))


def direct_feedback_alignment(W: Sequence[Tensor], B: Sequence[Tensor]) -> Step:
    """Make a step of direct feedback alignment.

    Args:
        W: the weights ``[post, pre]`` of each layer, which the step changes in place.
        B: feedback onto each hidden layer, ``[layer l, output]``.
    """

    def output(x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        h = x
        for weights, feedback in zip(W[:-1], B, strict=True):
            h = DirectFeedback.apply(torch.relu(BlockedLinear.apply(h, weights)), feedback, kept)
        return ErrorLinear.apply(h, W[-1], kept)

    return _step(W, output)


def _descending(W: Sequence[Tensor], B: Sequence[Tensor], x: Tensor) -> Tensor:
    """Compute the output. The first layer needs no feedback, because there is no layer below it."""
    h = x @ W[0].T
    for weights, feedback in zip(W[1:], B, strict=True):
        h = FeedbackLinear.apply(torch.relu(h), weights, feedback)
    return h


def _step(learned: Sequence[Tensor], output: Callable[[Tensor], Tensor]) -> Step:
    weights = [tensor.requires_grad_() for tensor in learned]

    def step(x: Tensor, y: Tensor) -> None:
        descend(weights, torch.autograd.grad(cross_entropy(output(x), y), weights))

    return step
