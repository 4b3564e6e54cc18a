"""Batches that fit a motif."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from circuitsim.motif.wiring import inputs_of
from tests.strategies.expressions import SEEDS


@st.composite
def batches(draw: Any, motif: cs.Motif, n_samples: int | None = None) -> tuple[Any, Any]:
    """A batch (x, target) that fits the motif; both are dicts where there are several inputs or outputs."""
    random = np.random.default_rng(draw(SEEDS))
    n_samples = n_samples or draw(st.integers(1, 4))
    inputs = [p for p in motif.populations if p.name in inputs_of(motif)]
    x = {p.name: random.normal(size=(n_samples, p.size)) for p in inputs}
    targets: dict[str, np.ndarray] = {}
    for o in motif.objectives:
        size = motif.population(o.output).size
        if o.loss == "cross_entropy":
            targets[o.output] = random.integers(size, size=n_samples)
        elif o.loss == "bce":
            targets[o.output] = random.integers(2, size=(n_samples, size)).astype(float)
        else:
            targets[o.output] = random.normal(size=(n_samples, size))
    return _single(x), _single(targets)


def _single(values: dict[str, np.ndarray]) -> Any:
    """The value itself where there is one, None where there is none."""
    if len(values) > 1:
        return values
    return next(iter(values.values()), None)
