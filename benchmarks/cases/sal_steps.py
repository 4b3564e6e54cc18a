"""Compare a step of SAL with backpropagation of the same layers, and with the same step written by hand."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

import circuitsim as cs
from benchmarks.cases.optional import with_optional
from benchmarks.circuits import OURS, random_batch, sal_circuit, size_of
from benchmarks.rivals import Step, autograd_sgd, plain_torch, reassociated_torch, torch_nn
from benchmarks.rivals.weights import forward_weights, sal_weights
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved
from motifs import sal

BATCH = 256
NORMALISED = "circuitsim, normalised trace"
DEFAULT = "circuitsim, motifs.sal"  # the normalised form, whose rules read means and a signal
SGD, NN = "autograd SGD", "autograd SGD, torch.nn"
PLAIN = "plain torch"
BY_HAND = "reassociated torch"
COMPILED, JAX = "reassociated torch.compile", "reassociated jax.jit"
TRACE_MAY_ADD = 0.03  # allowed overhead of the normalised trace, as a fraction of the time of autograd SGD
DEFAULT_LIMIT = 1.05  # the largest allowed ratio of the normalised form to autograd SGD
SIZES = {  # name -> layers, and the largest allowed ratio to the time of autograd SGD
    "sal-784x200": ((784, 200, 200, 200, 10), 0.95),
    "sal-3072x200": ((3072, 200, 200, 200, 10), 0.92),
    "sal-784x1024": ((784, 1024, 1024, 1024, 10), 0.98),
}


def time_steps(layers: Sequence[int], limit: float, rounds: int, device: str, batch: int = BATCH) -> list[Row]:
    """Time circuitsim, with the plain activity and with a normalised trace in the rules, `motifs.sal`, and every rival.

    Args:
        layers, batch: the layer sizes and the batch size.
        limit: the largest allowed ratio to the time of autograd SGD.
        rounds, device: as in `benchmarks.bench`.
    """
    circuit, traced = sal_circuit(layers, device=device), sal_circuit(layers, device=device, normalised=True)
    x, y = random_batch(circuit, layers, batch)
    default = cs.compile(sal(list(layers)), device=device)
    steps: dict[str, Step] = {OURS: circuit.step, NORMALISED: traced.step, DEFAULT: default.step}
    with torch.device(circuit.device):
        steps[SGD] = autograd_sgd.make(forward_weights(layers))
        steps[NN] = torch_nn.make(layers)
        steps[PLAIN] = plain_torch.make(sal_weights(layers), batch)
        steps[BY_HAND] = reassociated_torch.make(sal_weights(layers), batch)
    with_optional(steps, {name: _later(module, layers, batch) for name, module in COMPILERS.items()}, x, y)
    timings = interleaved(calls(steps, x, y), rounds)
    targets = [
        Target(OURS, SGD, limit),
        Target(NORMALISED, SGD, limit + TRACE_MAY_ADD),
        Target(DEFAULT, SGD, DEFAULT_LIMIT),
        Target(OURS, NN),
        Target(OURS, PLAIN),
        Target(OURS, BY_HAND, 1.0),
        Target(OURS, COMPILED, 1.05),
        Target(OURS, JAX, 1.05),
    ]
    return rows_of("step", size_of(layers, batch), timings, targets)


def calls(steps: dict[str, Step], x: Tensor, y: Tensor) -> dict[str, Callable[[], Any]]:
    """Bind the steps to one batch, as functions without arguments."""
    return {name: functools.partial(step, x, y) for name, step in steps.items()}


COMPILERS = {COMPILED: "reassociated_compiled", JAX: "reassociated_jax"}


def _later(module: str, layers: Sequence[int], batch: int) -> Callable[[], Step]:
    """Defer the import of a rival until it is made, because its requirements may not be installed."""
    return lambda: importlib.import_module(f"benchmarks.rivals.{module}").make(sal_weights(layers), batch)


def _case(layers: Sequence[int], limit: float) -> Callable[[int, str], list[Row]]:
    return lambda rounds, device: time_steps(layers, limit, rounds, device)


CASES = {name: _case(layers, limit) for name, (layers, limit) in SIZES.items()}
