"""The circuits of the benchmark, compiled without options, as a user would compile them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

import circuitsim as cs
from benchmarks.rivals import ETA, GAMMA
from motifs import paper_sal

OURS = "circuitsim"


def sal_motif(layers: Sequence[int], *, normalised: bool = False) -> cs.Motif:
    """SAL with its gate, at the rates of the other programs.

    Args:
        layers: the sizes of the ascending populations.
        normalised: whether rules use the activity scaled to unit mean square, as `sal` does by default. The other
            programs do not.
    """
    rates = {"eta": ETA, "eta_V": 1.0, "eta_Wt": 1.0, "gamma": GAMMA, "gamma_Wt": 1.0}
    return paper_sal(list(layers), **rates) if normalised else paper_sal(list(layers), trace=None, **rates)


def sal_circuit(
    layers: Sequence[int], *, n_replicas: int = 1, device: str = "auto", normalised: bool = False
) -> cs.Circuit:
    """Compile `sal_motif`."""
    return cs.compile(sal_motif(layers, normalised=normalised), replicas=n_replicas, device=device)


def random_batch(circuit: cs.Circuit, layers: Sequence[int], batch: int) -> tuple[Tensor, Tensor]:
    """Return random inputs ``[batch, input]`` and classes ``[batch]`` on the circuit's device."""
    x = torch.randn(batch, layers[0], device=circuit.device, dtype=circuit.dtype)
    return x, torch.randint(0, layers[-1], (batch,), device=circuit.device)


def size_of(layers: Sequence[int], batch: int) -> str:
    """Format sizes, such as "784-200-200-200-10, batch 256"."""
    return f"{'-'.join(map(str, layers))}, batch {batch}"
