"""Cosines and relative residuals of matrices, per replica, in float64; undefined is NaN, never 0."""

from __future__ import annotations

import torch
from torch import Tensor


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of the angle between two matrices ``[replica, post, pre]`` as vectors; shape ``[replica]``."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))  # 0 / 0 is NaN


def relative_residual(a: Tensor, b: Tensor) -> Tensor:
    """``|a - b| / sqrt(|a| |b|)``: 0 where they are equal; shape ``[replica]``."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a - b).norm(dim=1) / torch.sqrt(a.norm(dim=1) * b.norm(dim=1))


def zero_reason(a: Tensor, b: Tensor, names: tuple[str, str]) -> list[str]:
    """Why a cosine is NaN, per replica; empty where it is defined."""
    zeros = [[float(part.norm()) == 0.0 for part in side] for side in (a, b)]
    return [
        " and ".join(f"{name} is zero" for name, zero in zip(names, pair, strict=True) if zero)
        for pair in zip(*zeros, strict=True)
    ]
