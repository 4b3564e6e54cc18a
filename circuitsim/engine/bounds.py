"""The bounds of weights, which hold for all weights that a circuit stores."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.operations import fitting
from circuitsim.errors import ParameterError
from circuitsim.motif.synapses import Bounds


def check_bounds(owner: str, bounds: Bounds | None, dtype: torch.dtype) -> None:
    """Refuse bounds within which a data type has no two numbers."""
    low, high = limits(bounds, dtype) if bounds is not None else (None, None)
    if (-np.inf if low is None else low) >= (np.inf if high is None else high) or low == np.inf or high == -np.inf:
        raise ParameterError(f"{owner}: no two numbers of {dtype} lie within the bounds {bounds}; widen them")


def limits(bounds: Bounds, dtype: torch.dtype) -> tuple[float | None, float | None]:
    """Return the smallest and the largest number of a data type that lie within the bounds.

    Rounding 0.1 to float32 gives a number above 0.1; the limit is then the number below it.
    """
    low, high = bounds
    return _rounded(low, dtype, np.inf), _rounded(high, dtype, -np.inf)


def _rounded(end: float | None, dtype: torch.dtype, inwards: float) -> float | None:
    if end is None:
        return None
    kind = np.float32 if dtype == torch.float32 else np.float64
    found = kind(fitting(float(end), dtype))
    is_outside = float(found) < end if inwards > 0 else float(found) > end
    return float(np.nextafter(found, kind(inwards))) if is_outside and np.isfinite(found) else float(found)


def bounded_(values: Tensor, bounds: Bounds | None) -> Tensor:
    """Clip weights to their bounds, in place."""
    return values if bounds is None else values.clamp_(*limits(bounds, values.dtype))
