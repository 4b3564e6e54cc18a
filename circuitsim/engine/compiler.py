"""`compile`, which turns a motif into a circuit on tensors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from circuitsim.engine.circuit import Circuit
from circuitsim.engine.footprint import readable, sampled_bytes
from circuitsim.engine.parameters import Vary, is_read
from circuitsim.errors import ParameterError, check_kind, warn
from circuitsim.motif import Motif
from circuitsim.plan import ProjectionPlan
from circuitsim.plan.quantities import signal, synapse
from circuitsim.whole import check_flags, whole

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class SlowRuleWarning(UserWarning):
    """A rule has a term that does not factor and is evaluated sample by sample, or a state per sample takes memory."""


class UnreadParameterWarning(UserWarning):
    """A parameter has values for each replica, but no rule reads it."""


class BatchMeanWarning(UserWarning):
    """A rule multiplies a synaptic state, which is a mean over the batch, by a signal of each sample."""


def compile(
    motif: Motif,
    *,
    replicas: int | None = None,
    seed: int | None = None,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "float32",
    vary: Vary | None = None,
    record_changes: bool = False,
    seeds: Sequence[int] | None = None,
) -> Circuit:
    """Draw the weights of a motif and make a circuit that runs.

    Args:
        motif: the declaration, which is validated first.
        replicas: the number of independent circuits, 1 by default. Replica r equals a single circuit with seed
            ``seed + r``.
        seed: the seed of connectivity, initial weights and noise, a non-negative integer, 0 by default.
        device: "auto" (CUDA if available, else the CPU), "cpu", "cuda", ...
        dtype: "float32" or "float64".
        vary: per-replica values keyed by path, such as ``{"W0.eta": [0.1, 0.2], "V1.init.gain": [0.05, 0.1]}``.
        record_changes: keep the last change of every projection (`Circuit.last_change`).
        seeds: a seed for each replica, in place of `replicas` and `seed`: ``seeds=[0, 0, 1, 1]`` runs two settings of
            `vary` with each of two seeds.
    Returns:
        The circuit. A `SlowRuleWarning` names every rule that does not factor into matrix products, and says how much
        memory the states of synapses per sample take. A `BatchMeanWarning` names every rule that multiplies a synaptic
        state, a mean over the batch, by a signal of each sample, and an `UnreadParameterWarning` every parameter in
        `vary` that its rule does not read.
    Raises:
        MotifError: the motif has faults; the message lists all of them.
        ParameterError: an argument is out of range, or the device is not available.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([8, 6, 3]), replicas=2, seed=0, device="cpu")
        >>> circuit
        Circuit('sal': 2 replicas, seed 0, cpu, float32, 0 steps done)
        >>> circuit.weights("W0").shape
        torch.Size([2, 6, 8])
    """
    check_kind("compile", motif, Motif, "a function of `motifs` makes one, as in compile(sal([64, 32, 10]))")
    check_flags(record_changes=record_changes)
    circuit = Circuit(
        motif, seeds=_seeds(replicas, seed, seeds), device=_device(device), dtype=_dtype(dtype),
        vary={} if vary is None else vary, record_changes=record_changes,
    )  # fmt: skip
    _warn(circuit)
    return circuit


def _seeds(replicas: int | None, seed: int | None, seeds: Sequence[int] | None) -> Sequence[int]:
    """The seed of each replica; a range takes no memory before the size of the circuit is checked."""
    if seeds is None:
        first = whole("seed", 0 if seed is None else seed, least=0)
        n = whole("replicas", 1 if replicas is None else replicas, least=1)
        if n > sys.maxsize:
            raise ParameterError(f"replicas must be fewer than {sys.maxsize:,} (got {n:,})")
        return range(first, first + n)
    if seed is not None:
        raise ParameterError(f"give seed or seeds, not both (got seed={seed!r} and seeds={seeds!r})")
    if isinstance(seeds, str) or not hasattr(seeds, "__len__") or len(seeds) == 0:
        raise ParameterError(f"seeds must be a list with a seed for each replica (got {seeds!r})")
    found = tuple(whole(f"seeds[{r}]", s, least=0) for r, s in enumerate(seeds))
    if replicas is not None and replicas != len(found):
        raise ParameterError(f"seeds has {len(found)} seeds, one for each replica, but replicas is {replicas!r}")
    return found


def _warn(circuit: Circuit) -> None:
    """Warn about rules that are slow, or that may not mean what their author intended."""
    for path in circuit.vary:
        if not is_read(circuit.motif, path):
            warn(f"vary: the rule does not read {path!r}, so its values change nothing", UnreadParameterWarning)
    for declared in circuit.motif.projections:
        names = ", ".join(repr(name) for name, state in declared.state.items() if state.per_sample)
        n_bytes = sampled_bytes(circuit.motif, declared, circuit.n_replicas, circuit.dtype.itemsize)
        if n_bytes:
            warn(
                f"projection {declared.name!r}: its states per sample ({names}) take {readable(n_bytes)} for each "
                "sample of a batch, and they and the rules that read them are evaluated sample by sample: slow",
                SlowRuleWarning,
            )
    rules = {p.name: p for plan in circuit.plans for p in plan.plastic()}
    for name, p in rules.items():
        assert p.rule is not None
        if p.rule.is_slow and not p.sampled:
            warn(
                f"projection {name!r}: a term of its rule does not factor into matrix products and is evaluated "
                f"sample by sample, which is slow; print(circuit.program) shows which",
                SlowRuleWarning,
            )
        for state, signal_name in _averaged(circuit, p):
            warn(
                f"projection {name!r}: its rule multiplies the state {state!r}, which holds the mean over the batch, "
                f"by the signal {signal_name!r} of each sample, but {state} is not kept per sample. Declare it with "
                f"cs.State(..., per_sample=True), or use batches of one sample",
                BatchMeanWarning,
            )


def _averaged(circuit: Circuit, p: ProjectionPlan) -> Iterator[tuple[str, str]]:
    """Synaptic states that depend on the sample, with the signals that multiply them in a term of the rule."""
    assert p.rule is not None
    for state, update in p.states.items():
        if any(term.has_data for term in update.terms):
            for declared in (s for s in circuit.motif.signals if s.is_given):
                pair = {synapse(state, p.name), signal(declared.name)}
                if any(pair <= term.symbols for term in p.rule.terms):
                    yield state, declared.name


def _dtype(dtype: Any) -> torch.dtype:
    for name, found in DTYPES.items() if isinstance(dtype, str | torch.dtype) else ():
        if dtype in (name, found):
            return found
    raise ParameterError(f"dtype must be one of {list(DTYPES)} (got {dtype!r})")


def _device(device: str | torch.device) -> torch.device:
    if isinstance(device, str) and device == "auto":
        rank = os.environ.get("LOCAL_RANK")  # under torchrun, each process of a machine has a GPU of its own
        gpu = "cuda" if rank is None else f"cuda:{rank}"
        return torch.device(gpu if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ParameterError(f"device {str(device)!r} is not available: {str(error).splitlines()[0]}") from None
    return found
