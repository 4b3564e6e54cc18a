"""Exact decay in float32, which cannot represent ``1 - 1e-8`` and rounds ``1 - 1e-6`` to ``1 - 1.013e-6``.

Decay that cannot be represented in one step is accumulated as owed and applied in a later step, so that over many steps
the decay is the declared one. It is applied when it is large enough for rounding errors of the weights to average out.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import torch

from circuitsim.engine.operations import fitting

LEAST = 2.0**-18  # the smallest relative decay that is applied: 64 times the spacing of float32 numbers just below 1

MANTISSA = 23  # fractional bits of float32 numbers between 1 and 2; numbers below 1 have one more

Owed = dict[str, Any]  # name of the weights -> logarithm of the factor by which they are too large


def factor_of(decay: Any, owed: Owed, name: str, dtype: torch.dtype) -> Any:
    """The factor by which a step multiplies weights that decay by ``1 - decay``.

    Args:
        decay: a number, or an array ``[replica, 1, 1]``.
        owed: the owed decay, which is updated.
        dtype: the data type of the weights. Decay is only ever owed in float32.
    """
    if dtype == torch.float64:
        return 1.0 - decay
    if isinstance(decay, float):
        return _number(decay, owed, name)
    logarithm = owed.get(name, 0.0) - np.log1p(-np.clip(decay, -0.5, 0.5))
    small = np.abs(decay) < 0.5
    kept = np.where(small & (np.abs(logarithm) >= LEAST), np.exp(-logarithm), 1.0).astype(np.float32).astype(float)
    owed[name] = np.where(small, logarithm + np.log(kept), 0.0)
    return np.where(small, kept, 1.0 - decay)


def _number(decay: float, owed: Owed, name: str) -> float:
    if not -0.5 < decay < 0.5:
        return fitting(1.0 - decay, torch.float32)
    before = owed.get(name, 0.0)
    if not isinstance(before, float):  # it was per replica until a schedule or a file made it a single number
        before = float(np.mean(before))
    kept, owed[name] = _paid(decay, before)
    return kept


@functools.lru_cache(maxsize=64)  # most weights of a circuit have the same decay and owe the same
def _paid(decay: float, owed: float) -> tuple[float, float]:
    """The factor of one step, and the decay that is owed after it."""
    logarithm = owed - math.log1p(-decay)
    if abs(logarithm) < LEAST:
        return 1.0, logarithm
    kept = math.ldexp(round(math.ldexp(math.exp(-logarithm), MANTISSA)), -MANTISSA)  # faster than NumPy's float32
    return kept, logarithm + math.log(kept)
