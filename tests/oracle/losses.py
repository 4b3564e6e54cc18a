"""Losses, for one sample: the value, and minus its gradient with respect to the output."""

from __future__ import annotations

from typing import Any

import numpy as np


def _cross_entropy(y: np.ndarray, target: Any) -> tuple[float, np.ndarray]:
    e = np.exp(y - y.max())
    onehot = np.zeros_like(y)
    onehot[int(target)] = 1.0
    return np.log(e.sum()) + y.max() - y[int(target)], onehot - e / e.sum()


def _mse(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    return 0.5 * np.sum((y - target) ** 2), target - y


def _bce(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    return np.sum(np.logaddexp(0.0, y) - target * y), target - 1.0 / (1.0 + np.exp(-y))


LOSSES = {"cross_entropy": _cross_entropy, "mse": _mse, "bce": _bce}
