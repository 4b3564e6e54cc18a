"""The noise that a circuit adds, by the key that is documented: (seed + r, population, "noise/phase/step")."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np


def keyed_noise(
    motif: Any, seed: int, step: int, n_samples: int, n_times: int = 1
) -> dict[tuple[str, int, str], np.ndarray]:
    """Standard normal numbers ``[batch, neuron]`` by (phase, iteration, population).

    Args:
        motif: which populations have noise, and in which phases.
        seed: of the replica, so that of the circuit plus the replica's number.
        step: number of the step, from 0.
        n_samples, n_times: of the batch.
    """
    sizes = {p.name: p.size for p in motif.populations}
    found = {}
    for phase in motif.phases:
        repeat = n_times if phase.repeat == "time" else phase.repeat
        for k, name in itertools.product(range(repeat), phase.noise):
            iteration = f"{phase.name}[{k + 1}]" if k else phase.name
            digest = hashlib.sha256(f"{name}/noise/{iteration}/{step}".encode()).digest()
            key = [seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()]
            found[phase.name, k, name] = np.random.default_rng(key).standard_normal((n_samples, sizes[name]))
    return found
