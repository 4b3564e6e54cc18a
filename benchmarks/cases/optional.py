"""Optional rivals, which may not be installed or may not run on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.rivals import Step


def with_optional(contestants: dict[str, Step], makers: dict[str, Callable[[], Step]], x: Tensor, y: Tensor) -> None:
    """Add the rivals that run on this machine, and warn about the others.

    Args:
        contestants: the contestants, keyed by name, which this function extends.
        makers: functions that make a step on torch's default device, keyed by name.
        x, y: a batch for a first call, in which compilers compile.
    """
    for name, make in makers.items():
        try:
            with torch.device(x.device):
                step = make()
            step(x, y)
        except Exception as error:  # a compiler may raise anything, and the other rivals still run
            lines = str(error).splitlines() or [type(error).__name__]
            warnings.warn(f"{name} is left out: {lines[0]}", stacklevel=2)
        else:
            contestants[name] = step
