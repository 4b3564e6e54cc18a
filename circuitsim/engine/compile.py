"""`compile`: the way from a declaration to tensors."""

from __future__ import annotations

import os
import warnings
from typing import Any

import torch

from circuitsim.engine.circuit import Circuit
from circuitsim.engine.parameters import Vary
from circuitsim.errors import ParameterError
from circuitsim.motif.motif import Motif

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class SlowRuleWarning(UserWarning):
    """A rule has a term that does not factor and is evaluated sample by sample."""


def compile(
    motif: Motif,
    *,
    replicas: int = 1,
    seed: int = 0,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "float32",
    vary: Vary | None = None,
    record_changes: bool = False,
    products: str = "blas",
    currents: str = "all",
) -> Circuit:
    """Draw the weights of a motif and make a circuit that runs.

    Args:
        motif: the declaration; it is validated first.
        replicas: number of independent circuits; replica r is the solo circuit of seed ``seed + r``.
        seed: of connectivity and starting weights, a non-negative integer.
        device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", ...
        dtype: "float32" or "float64".
        vary: per-replica values by path, such as ``{"W0.eta": [0.1, 0.2], "V1.init.gain": [0.05, 0.1]}``.
        record_changes: keep the last change of every projection (`Circuit.last_change`).
        products: "blas", or "onednn" for float32 on a CPU: the same products by another library, which on some CPUs
            (AMD's) is up to twice as fast; `circuitsim bench` tells. A circuit that is saved does not remember it.
        currents: "all": every current can be asked for after a step. "needed": a step does not make the current of a
            projection that nothing but the batch mean of one rule reads, where the mean can be had with fewer
            multiplications: SAL's ``E[(Vt h) g'] = Vt E[h g']``. The same step but for rounding. Not remembered either.
    Returns:
        The circuit. A `SlowRuleWarning` names every rule that does not factor into matrix products.
    Raises:
        MotifError: the motif is faulty; every fault is listed.
        ParameterError: an argument is out of range, or the device is not there.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([8, 6, 3]), replicas=2, seed=0, device="cpu")
        >>> circuit
        Circuit('sal': 2 replicas, seed 0, cpu, float32, 0 steps done)
        >>> circuit.weights("W0").shape
        torch.Size([2, 6, 8])
    """
    check_replicas(replicas)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ParameterError(f"seed must be a non-negative integer (got {seed!r})")
    if currents not in ("all", "needed"):
        raise ParameterError(f"currents must be 'all' or 'needed' (got {currents!r})")
    circuit = Circuit(
        motif, n_replicas=replicas, seed=seed, device=_device(device), dtype=_dtype(dtype),
        vary={} if vary is None else vary, record_changes=record_changes, products=products, currents=currents,
    )  # fmt: skip
    for p in circuit.plan.plastic():
        if p.rule is not None and p.rule.is_slow:
            warnings.warn(
                f"projection {p.name!r}: a term of its rule does not factor into matrix products and is evaluated "
                f"sample by sample, which is slow; print(circuit.plan) shows which",
                SlowRuleWarning,
                stacklevel=2,
            )
    return circuit


def check_replicas(replicas: Any) -> None:
    """Raise ParameterError where `replicas` is no number of circuits."""
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 1:
        raise ParameterError(f"replicas must be a positive integer (got {replicas!r})")


def _dtype(dtype: Any) -> torch.dtype:
    for name, found in DTYPES.items():
        if dtype in (name, found):
            return found
    raise ParameterError(f"dtype must be one of {list(DTYPES)} (got {dtype!r})")


def _own_gpu() -> str:
    """Under torchrun, which numbers the processes of a machine, each takes the GPU of its number."""
    number = os.environ.get("LOCAL_RANK")
    return "cuda" if number is None else f"cuda:{number}"


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device(_own_gpu() if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ParameterError(f"device {str(device)!r} is not there: {str(error).splitlines()[0]}") from None
    return found
