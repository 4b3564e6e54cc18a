"""Losses: the value for each sample, and minus its gradient with respect to the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from circuitsim.engine.layout.base import Run
from circuitsim.engine.operations import full
from circuitsim.engine.workspace import Workspace
from circuitsim.errors import DataError


@dataclass(frozen=True)
class Loss:
    """A loss. Outputs have shape ``[R, B, n]``; targets ``[R or 1, B, n]``, class indices ``[R or 1, B]``.

    All functions take `run` (`Workspace.run` for the caller's sites) first, and write into its buffers.

    Args:
        prepare: ``[R, B, n]``, what the other two make of the output first.
        value: ``[R, B]``, the loss of each sample.
        minus_gradient: ``[R, B, n]``, of each *sample's* loss (not divided by the batch size).
        takes_classes: whether targets are class indices.
    """

    prepare: Callable[[Run, Tensor], Tensor]
    value: Callable[[Run, Tensor, Tensor], Tensor]
    minus_gradient: Callable[[Run, Tensor, Tensor], Tensor]
    takes_classes: bool = False

    def of(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of each sample, ``[R, B]``, outside of a step."""
        run = Workspace().run
        return self.value(run, self.prepare(run, output), target)

    def error(self, output: Tensor, target: Tensor) -> Tensor:
        """Minus the gradient of each sample's loss, ``[R, B, n]``, outside of a step."""
        run = Workspace().run
        return self.minus_gradient(run, self.prepare(run, output), target)


def _log_probabilities(run: Run, output: Tensor) -> Tensor:
    return run("log_softmax", torch.log_softmax, output, -1)


def _cross_entropy(run: Run, log_probabilities: Tensor, target: Tensor) -> Tensor:
    return run("chosen", torch.gather, log_probabilities, -1, _index(log_probabilities, target)).squeeze(-1).neg_()


def _onehot_minus_softmax(run: Run, log_probabilities: Tensor, target: Tensor) -> Tensor:
    error = run("softmax", torch.exp, log_probabilities).neg_()
    return error.scatter_(-1, _index(error, target), 1.0, reduce="add")


def _index(like: Tensor, target: Tensor) -> Tensor:
    target = target if len(target) == len(like) else target.expand(len(like), -1)
    return target.unsqueeze(-1)


def _itself(run: Run, output: Tensor) -> Tensor:
    return output


def _half_square(run: Run, output: Tensor, target: Tensor) -> Tensor:
    squares = run("square", torch.square, run("difference", torch.sub, output, target))
    return run("sum", torch.sum, squares, -1).div_(2)


def _binary_cross_entropy(run: Run, output: Tensor, target: Tensor) -> Tensor:
    """``log(1 + exp(y)) - y t``, summed over labels; logaddexp overflows nowhere."""
    zero = run("zero", full, 0.0, output, ())
    losses = run("softplus", torch.logaddexp, output, zero).sub_(run("product", torch.mul, output, target))
    return run("sum", torch.sum, losses, -1)


def _target_minus_sigmoid(run: Run, output: Tensor, target: Tensor) -> Tensor:
    return run("error", torch.sigmoid, output).neg_().add_(target)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(_log_probabilities, _cross_entropy, _onehot_minus_softmax, takes_classes=True),
    "mse": Loss(_itself, _half_square, lambda run, y, t: run("error", torch.sub, t, y)),
    "bce": Loss(_itself, _binary_cross_entropy, _target_minus_sigmoid),
}


def as_target(target: Tensor, loss: Loss, size: int, n_replicas: int, n_samples: int, owner: str) -> Tensor:
    """Check a target and give it a leading replica axis.

    Raises:
        DataError: the shape or type does not fit the output.
    """
    n_axes = 1 if loss.takes_classes else 2
    wanted = "[batch]" if loss.takes_classes else f"[batch, {size}]"
    if target.ndim == n_axes:
        target = target.unsqueeze(0)
    fits = target.ndim == n_axes + 1 and target.shape[0] in (1, n_replicas) and target.shape[1] == n_samples
    if not fits or (n_axes == 2 and target.shape[2] != size):
        raise DataError(f"{owner}: target has shape {tuple(target.shape)}, needs {wanted} with batch = {n_samples}")
    if loss.takes_classes:
        if target.is_floating_point() or target.is_complex():
            raise DataError(f"{owner}: target must hold class indices (got {target.dtype})")
        if target.dtype != torch.int64:
            target = target.long()
    return target
