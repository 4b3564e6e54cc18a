"""Histories made by hand, whose numbers the tests know."""

from __future__ import annotations

import numpy as np

import circuitsim as cs


def history(seed: int = 0, epochs: int = 6, replicas: int = 4, layers: int = 2, level: float = 0.8) -> cs.History:
    """As `fit` with the alignment as a probe leaves it: W0 .. W<layers>, the last onto the output."""
    random, found = np.random.default_rng(seed), cs.History()
    for epoch in range(epochs + 1):
        rise = level * (1 - np.exp(-epoch / 2))

        def noisy(value: float) -> np.ndarray:
            return value + 0.05 * random.normal(size=replicas)

        def probe(metric: str, site: str, values: np.ndarray, epoch: int = epoch) -> None:
            found.add(step=10 * epoch, epoch=epoch, split="probe", metric=metric, site=site, values=values)

        for k in range(layers):
            probe("gradient_cosine", f"W{k}", noisy(rise))
            probe("stationarity_cosine", f"W{k + 1}", noisy(rise))
            probe("mirror_cosine", f"V{k + 1}", noisy(rise))
        probe("gradient_cosine", f"W{layers}", np.ones(replicas))
        if epoch:
            for split in ("online", "validation"):
                found.add(step=10 * epoch, epoch=epoch, split=split, metric="accuracy", values=noisy(rise))
            found.add(step=10 * epoch, epoch=epoch, split="validation", metric="loss", values=noisy(2 - rise))
    return found


def values(run: cs.History, metric: str, split: str, site: str = "") -> np.ndarray:
    """Shape ``[epoch, replica]``, straight from the rows."""
    rows = [row for row in run.rows if (row[3], row[4], row[5]) == (split, metric, site)]
    n_replicas = 1 + max(row[2] for row in rows)
    return np.array([row[6] for row in rows]).reshape(-1, n_replicas)
