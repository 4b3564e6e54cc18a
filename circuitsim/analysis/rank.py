"""The effective rank of a matrix."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from circuitsim.errors import AnalysisError
from circuitsim.motif.arrays import as_numbers


def effective_rank(matrix: Any) -> Tensor:
    r"""Compute exp of the entropy of the normalised singular values, ``exp(-sum_k p_k ln p_k)``, ``p = s / sum(s)``.

    Args:
        matrix: a matrix, or a stack of them, of shape ``[..., rows, columns]``; dimensionless.
    Returns:
        The effective rank, between 1 and min(rows, columns), float64 of shape ``[...]``.
    Raises:
        AnalysisError: the matrix has a non-finite entry, or all its entries are zero.
    Example:
        >>> import torch
        >>> import circuitsim as cs
        >>> round(float(cs.effective_rank(torch.eye(4))), 6)
        4.0

    Source: Roy & Vetterli (2007), "The effective rank"; singular values, not their squares.
    """
    device = matrix.device if isinstance(matrix, Tensor) else "cpu"
    matrix = torch.from_numpy(as_numbers(matrix, "effective_rank: the matrix", AnalysisError)).to(device)
    if matrix.ndim < 2:
        raise AnalysisError(f"effective_rank needs a matrix [..., rows, columns] (got shape {tuple(matrix.shape)})")
    if not torch.isfinite(matrix).all():
        raise AnalysisError(f"effective_rank: {int((~torch.isfinite(matrix)).sum())} entries are not finite")
    values = torch.linalg.svdvals(matrix)
    total = values.sum(-1, keepdim=True)
    if bool((total == 0).any()):
        raise AnalysisError("effective_rank is not defined for a matrix of zeros")
    shares = values / total
    return torch.special.entr(shares).sum(-1).exp()
