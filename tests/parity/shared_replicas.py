"""What test_faults.py runs in two processes: every replica has targets and a signal of its own.

torchrun --nproc-per-node 2 -m tests.parity.shared_replicas FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch

import circuitsim as cs
from motifs import paper_sal

LAYERS, REPLICAS = [6, 5, 4], 2


def reward(circuit: cs.Circuit, target: torch.Tensor) -> torch.Tensor:
    """Of each sample of each replica: whether it is answered right."""
    return (circuit.activity("up2").argmax(-1) == target).double()


def learn() -> cs.Circuit:
    """Ten batches of 9 and 1 samples, with classes ``[replica, batch]``."""
    motif = paper_sal(LAYERS)
    motif.add(cs.Signal("reward"))
    rule = cs.Rule("eta * (slope_post * I_V1 * pre * (1 + reward) - gamma * w)", eta=0.1, gamma=1e-3)
    circuit = cs.compile(motif.replace("W0", rule=rule), replicas=REPLICAS, seed=5, device="cpu", dtype="float64")
    rng = np.random.default_rng(0)
    batches = []
    for k in range(10):
        n = 1 if k % 5 == 4 else 9
        x, target = rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], (REPLICAS, n))
        batches.append((torch.tensor(x), torch.tensor(target)))
    cs.fit(circuit, batches, epochs=2, signals={"reward": reward}, progress=False)
    return circuit


if __name__ == "__main__":
    learn().save(Path(sys.argv[1]) / f"{os.environ['RANK']}.safetensors")
