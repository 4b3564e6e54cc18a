"""What the functions behind a circuit's methods read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.store import WeightStore
from circuitsim.motif.motif import Motif
from circuitsim.plan import Plan


class Compiled(Protocol):
    """A compiled motif: `circuitsim.engine.Circuit` has all of this."""

    motif: Motif
    n_replicas: int
    seeds: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    vary: dict[str, tuple[float, ...]]
    record_changes: bool
    store: WeightStore

    def condition(self) -> dict[str, Any]: ...

    @property
    def plans(self) -> tuple[Plan, ...]: ...

    @property
    def layouts(self) -> Mapping[str, Layout]: ...

    @property
    def changes(self) -> Mapping[str, Tensor]: ...

    def values(self, projection: str) -> Tensor: ...
