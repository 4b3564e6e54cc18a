"""Step time of SAL beside its floor and its rivals."""

from __future__ import annotations

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import circuitsim as cs
from benchmarks.rivals import ETA, GAMMA
from circuitsim.errors import ParameterError
from circuitsim.studies.bench.floor import floor
from circuitsim.studies.bench.row import Row, rows_of
from circuitsim.studies.bench.timing import interleaved
from motifs import sal

Step = Callable[[Tensor, Tensor], object]
SAL_RIVALS = {"plain torch": "plain_torch", "torch.compile": "compiled_torch", "jax.jit": "jax_jit"}
OURS, OURS_ONEDNN, DEFAULTS = "circuitsim", "circuitsim, oneDNN", "circuitsim, defaults"
SGD = {"autograd SGD": "autograd_sgd"}


@dataclass(frozen=True)
class Case:
    """One size of circuit.

    Args:
        layers, batch, n_replicas: of the circuit.
        rivals: whether others are timed too.
        targets: contestant -> how many times its time ours may take.
    """

    layers: tuple[int, ...]
    batch: int
    n_replicas: int = 1
    rivals: bool = True
    targets: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        """Such as "784-200-200-200-10, batch 256"."""
        replicas = f", {self.n_replicas} replicas" if self.n_replicas > 1 else ""
        return f"{'-'.join(map(str, self.layers))}, batch {self.batch}{replicas}"


HEADLINE = (
    Case((784, 200, 200, 200, 10), 256, targets=(("floor", 1.10), ("autograd SGD", 1.6))),
    Case((3072, 200, 200, 200, 10), 256, targets=(("floor", 1.10), ("autograd SGD", 1.2))),
    Case((784, 1024, 1024, 1024, 10), 256, targets=(("floor", 1.10),)),
)
SIZES = (
    *(Case((64, width, width, width, 10), 256, rivals=False) for width in (64, 200, 1024, 4096)),
    *(Case((784, 200, 200, 200, 10), batch, rivals=False) for batch in (16, 64, 1024)),
    Case((784, 200, 200, 200, 10), 256, n_replicas=16, rivals=False),
    Case((64, 1024, 1024, 1024, 10), 256, n_replicas=16, rivals=False, targets=(("floor", 1.25),)),
)


def circuit_of(layers: Sequence[int], n_replicas: int = 1, device: str = "auto", **options: Any) -> cs.Circuit:
    """SAL with its gate, as the rivals have it; `options` of `compile`."""
    motif = sal(list(layers), eta=ETA, eta_V=1.0, eta_Wt=1.0, gamma=GAMMA, gamma_Wt=1.0, trace=None)
    return cs.compile(motif, replicas=n_replicas, device=device, **options)


def batch_of(circuit: cs.Circuit, layers: Sequence[int], batch: int) -> tuple[Tensor, Tensor]:
    """Random inputs and classes."""
    x = torch.randn(batch, layers[0], device=circuit.device, dtype=circuit.dtype)
    return x, torch.randint(0, layers[-1], (batch,), device=circuit.device)


def time_steps(case: Case, rounds: int, device: str) -> list[Row]:
    """One row for each contestant, with our time over its; again with the products of oneDNN, where there are such.

    Ours is a circuit for speed, as a user would make it who has looked at the data: the rivals do not look at theirs
    either. The targets are for the faster one of the two libraries. Beside it, a circuit and a step by default.
    """
    circuit = circuit_of(case.layers, case.n_replicas, device)
    x, y = batch_of(circuit, case.layers, case.batch)
    steps: dict[str, Step] = {OURS: _for_speed(case, device)}
    with contextlib.suppress(ParameterError):
        steps[OURS_ONEDNN] = _for_speed(case, device, products="onednn")
    steps[DEFAULTS] = circuit.step
    if case.rivals:
        steps |= dict(_rivals(case, circuit, x, y))
    contestants: dict[str, Callable[[], object]] = {"floor": floor(circuit, case.batch)}
    contestants |= {name: _bound(step, x, y) for name, step in steps.items()}
    limits = dict(case.targets)
    if case.rivals and case.targets:
        limits |= {name: 1.0 for name in steps if name in SAL_RIVALS}
    timings = interleaved(contestants, rounds)
    libraries = [name for name in (OURS, OURS_ONEDNN) if name in timings]
    fastest = min(libraries, key=lambda name: timings[name].median)
    rows = []
    for ours in libraries:
        others = {name: timing for name, timing in timings.items() if name == ours or name not in libraries}
        bench = "step" if ours == OURS else "step, oneDNN"
        rows += rows_of(bench, case.name, others, ours, limits if ours == fastest else {})
    return rows


def _for_speed(case: Case, device: str, **options: Any) -> Step:
    circuit = circuit_of(case.layers, case.n_replicas, device, currents="needed", **options)
    return functools.partial(circuit.step, check=False)


def _bound(step: Step, x: Tensor, y: Tensor) -> Callable[[], object]:
    return lambda: step(x, y)


def _rivals(case: Case, circuit: cs.Circuit, x: Tensor, y: Tensor) -> Iterator[tuple[str, Step]]:
    """Those that are installed and run here; the others are named in a warning."""
    for name, module in (SAL_RIVALS | (SGD if case.n_replicas == 1 else {})).items():
        try:
            with torch.device(circuit.device):
                step = importlib.import_module(f"benchmarks.rivals.{module}").make(
                    case.layers, case.batch, case.n_replicas
                )
            step(x, y)
        except Exception as error:  # whatever a compiler throws: the others are still worth timing
            warnings.warn(f"{name} is left out: {str(error).splitlines()[0]}", stacklevel=2)
        else:
            yield name, step
