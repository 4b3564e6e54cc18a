"""Runaway growth: which replicas have weights or losses that are not finite, or too large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Runaway:
    """One replica that ran away.

    Args:
        replica, step: which, and after how many steps it was seen.
        projection: the first projection seen, or None where only the loss was not finite.
        reason: in words.
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


def find_runaways(values: Mapping[str, Tensor], max_weight: float, loss: Tensor | None, step: int) -> list[Runaway]:
    """One report per replica, the first projection in order of declaration.

    Args:
        values: weights by projection, first axis replica.
        max_weight: bound on the absolute weight.
        loss: shape ``[replica]``, or None.
        step: number of steps done, for the report.
    """
    names = [name for name in values if "." not in name]  # states have scales of their own
    largest = torch.stack([values[name].abs().amax((1, 2)) for name in names]) if names else torch.zeros(0, 0)
    table = largest.cpu()  # the only wait for the device
    found: dict[int, Runaway] = {}
    for replica in range(table.shape[1]):
        for name, size in zip(names, table[:, replica].tolist(), strict=True):
            if not size <= max_weight:  # also true for NaN
                reason = "|w| is nan" if size != size else f"|w| is {size:g}, above max_weight = {max_weight:g}"
                found[replica] = Runaway(replica, step, name, reason)
                break
    for replica, value in enumerate(loss.tolist() if loss is not None else ()):
        if not abs(value) < float("inf") and replica not in found:
            found[replica] = Runaway(replica, step, None, f"it is {value}")
    return list(found.values())
