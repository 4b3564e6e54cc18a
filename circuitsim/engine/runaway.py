"""Detection of runaway growth: replicas whose weights are too large, or whose weights or losses are not finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import ParameterError


@dataclass(frozen=True)
class Runaway:
    """A replica that ran away.

    Args:
        step: the number of steps after which it was detected.
        projection: the first projection that ran away, or None if only the loss was not finite.
        reason: the reason as text.
    """

    replica: int
    step: int
    projection: str | None
    reason: str

    def __str__(self) -> str:
        where = f"projection {self.projection!r}" if self.projection else "loss"
        return (
            f"{where} of replica {self.replica} ran away at step {self.step}: {self.reason}; lower eta or raise gamma"
        )


def check_max_weight(max_weight: Any) -> None:
    """Raise a ParameterError unless `max_weight` is a positive number, which may be infinite."""
    if isinstance(max_weight, bool) or not isinstance(max_weight, int | float | np.number) or not max_weight > 0:
        raise ParameterError(f"max_weight must be a positive number (got {max_weight!r})")


def find_runaways(values: Mapping[str, Tensor], max_weight: float, loss: Tensor | None, step: int) -> list[Runaway]:
    """Find replicas that ran away, with one report each, about the first such projection in order of declaration.

    Args:
        values: weights and states ``[replica, ...]``, keyed by their names in programs.
        loss: the loss of each replica, shape ``[replica]``, or None.
        max_weight, step: the bound on absolute weights, and the number of steps done, for the report.
    """
    names = [name for name in values if name.endswith(":w")]  # states have scales of their own
    # the largest |w|, without an array of |w|
    sizes = [torch.linalg.vector_norm(values[name], torch.inf, (1, 2)) for name in names]
    largest = torch.stack(sizes) if names else torch.zeros(0, 0)
    table = largest.cpu()  # one synchronisation with the device for all weights
    found: dict[int, Runaway] = {}
    for replica in range(table.shape[1]):
        for name, size in zip(names, table[:, replica].tolist(), strict=True):
            if not size <= max_weight:  # also true for NaN
                reason = "|w| is nan" if size != size else f"|w| is {size:g}, above max_weight = {max_weight:g}"
                found[replica] = Runaway(replica, step, name.removesuffix(":w"), reason)
                break
    for replica, value in enumerate(loss.tolist() if loss is not None else ()):
        if not abs(value) < float("inf") and replica not in found:
            found[replica] = Runaway(replica, step, None, f"it is {value}")
    return list(found.values())
