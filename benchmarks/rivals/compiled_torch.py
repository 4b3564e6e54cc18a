"""The same under torch.compile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.rivals.plain_torch import sal_step, weights


def make(layers: Sequence[int], batch: int, n_replicas: int = 1) -> Callable[[Tensor, Tensor], None]:
    """A step of SAL, compiled for its shapes."""
    torch._dynamo.reset()
    w = weights(layers, n_replicas)
    compiled = torch.compile(sal_step, dynamic=False)

    def step(x: Tensor, y: Tensor) -> None:
        with torch.no_grad():
            compiled(w, x, y)

    return step
