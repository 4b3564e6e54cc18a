"""Statistics over seeds. NaN marks a seed that ran away, which is left out; texts say how many were."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

Array = NDArray[Any]


def finite(values: Any) -> Array:
    """The finite values."""
    array = np.asarray(values, dtype=float)
    return array[np.isfinite(array)]


def mean(values: Any) -> float:
    """The mean of the finite values; NaN if there are none."""
    left = finite(values)
    return float(left.mean()) if len(left) else float("nan")


def mean_and_spread(values: Any, digits: int = 2, scale: float = 1.0) -> str:
    """Format mean and sample standard deviation, such as ``0.41 ± 0.03``; "-" if no value is finite.

    Values that are not finite are left out, and the text says so: ``0.41 ± 0.03 (4 of 5 seeds)``.
    """
    left = scale * finite(values)
    if not len(left):
        return "-"
    deviation = left.std(ddof=1) if len(left) > 1 else 0.0
    return f"{left.mean():.{digits}f} ± {deviation:.{digits}f}" + _share(left, values)


def _share(left: Array, values: Any) -> str:
    n = np.size(values)
    return f" ({len(left)} of {n} seeds)" if len(left) < n else ""


def versus(a: Array, b: Array) -> str:
    """Format the difference of two conditions with the same seeds: ``+1.20 ± 0.31 (higher in 4 of 5 seeds)``.

    Seeds in which one of them ran away are left out, and the text says how many.
    """
    difference = finite(a - b)
    if not len(difference):
        return "not comparable (every seed ran away)"
    deviation = difference.std(ddof=1) if len(difference) > 1 else 0.0
    higher = int((difference > 0).sum())
    lost = np.size(a - b) - len(difference)
    note = f"; {lost} left out, which ran away" if lost else ""
    return f"{difference.mean():+.2f} ± {deviation:.2f} (higher in {higher} of {len(difference)} seeds{note})"


def interval(a: Array, b: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Student's confidence interval of the mean of a - b; NaN if fewer than two seeds have both values."""
    difference = finite(a - b)
    if len(difference) < 2:
        return float("nan"), float("nan")
    half = scipy.stats.t.ppf((1 + confidence) / 2, len(difference) - 1) * scipy.stats.sem(difference)
    return float(difference.mean() - half), float(difference.mean() + half)


def compared(a: Array, b: Array) -> str:
    """`versus`, and `interval` if two or more seeds have both values."""
    low, high = interval(a, b)
    return versus(a, b) + (f", {low:+.1f} to {high:+.1f}" if np.isfinite(low) else "")


def deviations(a: Array, b: Array, paired: bool = False) -> float:
    """The difference between the means of a and b, in standard deviations of a difference a - b: of any two seeds, or
    with `paired` of the same seed. NaN if fewer than two seeds of either have a value."""
    if paired:
        a = finite(a - b)
        b = np.zeros_like(a)
    a, b = finite(a), finite(b)
    if min(len(a), len(b)) < 2:
        return float("nan")
    return float((a.mean() - b.mean()) / np.hypot(a.std(ddof=1), b.std(ddof=1)))
