"""Losses for use outside a step, and the shapes of targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from circuitsim.errors import DataError


@dataclass(frozen=True)
class Loss:
    """A loss. Outputs have shape ``[R, B, n]``; targets ``[R or 1, B, n]``, class indices ``[R or 1, B]``.

    Args:
        of: returns the loss of each sample, ``[R, B]``.
        takes_classes: whether targets are class indices.
        takes_labels: whether targets are labels from 0 to 1.
    """

    of: Callable[[Tensor, Tensor], Tensor]
    takes_classes: bool = False
    takes_labels: bool = False


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    index = target.expand(len(output), -1).unsqueeze(-1)
    return -torch.log_softmax(output, -1).gather(-1, index).squeeze(-1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(_cross_entropy, takes_classes=True),
    "mse": Loss(lambda y, t: ((y - t) ** 2).sum(-1) / 2),
    # log(1 + exp(y)) - y t, summed over labels; softplus does not overflow
    "bce": Loss(lambda y, t: (functional.softplus(y) - y * t).sum(-1), takes_labels=True),
}


def as_target(
    target: Tensor, loss: Loss, size: int, n_replicas: int, n_samples: int, owner: str, n_times: int | None = None
) -> Tensor:
    """Check a target and give it a leading replica axis. With `n_times` it may be a sequence, and one that differs
    between replicas must be.
    """
    if loss.takes_classes and n_times is None:
        _check_not_one_hot(target, size, n_replicas, n_samples, owner)
    given, vector = tuple(target.shape), () if loss.takes_classes else (size,)
    shapes = [(n_samples, *vector)] + ([] if n_times is None else [(n_samples, n_times, *vector)])
    if given in shapes:
        target = target.unsqueeze(0)
    elif not (given[1:] == shapes[-1] and given[0] in (1, n_replicas)):
        held = "[batch]" if loss.takes_classes else f"[batch, {size}]"
        wanted, lengths = (
            (held, "") if n_times is None else (f"{held} or {held[:6]}, time{held[6:]}", f", time = {n_times}")
        )
        advice = ""
        if given == ((n_samples, size) if loss.takes_classes else (n_samples,)):
            one_hot = "turn one-hot vectors into classes: target.argmax(1)"
            advice = "; " + (one_hot if loss.takes_classes else f"make classes one-hot: numpy.eye({size})[target]")
        raise DataError(f"{owner}: target has shape {given}, needs {wanted} with batch = {n_samples}{lengths}{advice}")
    if loss.takes_classes:
        if target.is_floating_point() or target.is_complex():
            raise DataError(f"{owner}: target must hold class indices (got {target.dtype})")
        if target.dtype != torch.int64:
            target = target.long()
    return target


def _check_not_one_hot(target: Tensor, size: int, n_replicas: int, n_samples: int, owner: str) -> None:
    """Refuse one-hot vectors where classes are needed."""
    shape = tuple(target.shape)
    if size == 1 or shape not in ((n_samples, size), (n_replicas, n_samples, size)):
        return
    hint = "for one-hot vectors pass target.argmax(-1)"
    if shape == (n_replicas, n_samples):  # the shape of the classes of each replica: only the numbers tell them apart
        if not (((target == 0) | (target == 1)).all() and (target.sum(1) == 1).all()):
            return
        hint += ", for classes of each replica, which have the same shape here, use another batch size"
    raise DataError(f"{owner}: target has shape {shape}, needs [batch] with batch = {n_samples}: {hint}")
