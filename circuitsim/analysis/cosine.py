"""Cosines and relative residuals of matrices, per replica, in float64. Undefined values are NaN, never 0."""

from __future__ import annotations

import torch
from torch import Tensor


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine ``[replica]`` of the angle between two matrices ``[replica, post, pre]`` as vectors."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))  # 0 / 0 is NaN


def relative_residual(a: Tensor, b: Tensor) -> Tensor:
    """Return ``|a - b| / sqrt(|a| |b|)``, of shape ``[replica]``, which is 0 where the matrices are equal."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a - b).norm(dim=1) / torch.sqrt(a.norm(dim=1) * b.norm(dim=1))


def zero_reason(a: Tensor, b: Tensor, names: tuple[str, str]) -> list[str]:
    """Explain for each replica why a cosine is NaN; the text is empty where it is defined."""
    zeros = [[float(part.norm()) == 0.0 for part in side] for side in (a, b)]
    return [
        " and ".join(f"{name} is zero" for name, zero in zip(names, pair, strict=True) if zero)
        for pair in zip(*zeros, strict=True)
    ]
