"""Signals of a run, which are passed to the circuit after each cycle, such as a reward for its output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from circuitsim.engine import Circuit
from circuitsim.engine.batch_shard import Processes
from circuitsim.engine.losses import LOSSES
from circuitsim.errors import ParameterError
from circuitsim.motif.identifiers import normalized_keys

# name -> function (circuit, target) -> one number per sample
SignalFunctions = Mapping[str, Callable[[Circuit, Any], Any]]


def check_signals(circuit: Circuit, signals: SignalFunctions | None) -> SignalFunctions:
    """Check that exactly the declared signals are given, as functions, and return them."""
    if not isinstance(signals, Mapping | None):
        raise ParameterError(f"signals must map names to functions of (circuit, target) (got {signals!r})")
    given = normalized_keys(signals or {}, "signals", ParameterError)
    declared = sorted(s.name for s in circuit.motif.signals if s.is_given)
    if sorted(given) != declared:
        raise ParameterError(
            f"motif {circuit.motif.name!r} declares the signals {declared}, but fit got {sorted(given)}: "
            "pass signals={name: function of (circuit, target)}"
        )
    for name, function in given.items():
        if not callable(function):
            raise ParameterError(f"signal {name!r} must be a function of (circuit, target) (got {function!r})")
    return given


def signals_of_batch(
    circuit: Circuit, signals: SignalFunctions, target: Any, processes: Processes
) -> dict[str, Callable[[Circuit], Any]]:
    """Bind the functions to the target of one batch, or, under torchrun, to the targets of the process's samples."""
    if not signals:
        return {}
    axes = {o.output: 1 if LOSSES[o.loss].takes_classes else 2 for o in circuit.motif.objectives}
    if isinstance(target, Mapping):
        own: Any = {name: _own(value, axes[name], processes) for name, value in target.items()}
    else:
        own = _own(target, next(iter(axes.values()), 1), processes)

    def bind(function: Callable[[Circuit, Any], Any]) -> Callable[[Circuit], Any]:
        return lambda circuit: function(circuit, own)

    return {name: bind(function) for name, function in signals.items()}


def _own(target: Any, n_axes: int, processes: Processes) -> Any:
    """Return the process's own samples of a target with `n_axes` axes, perhaps with a replica axis before them."""
    if target is None or processes.n == 1:
        return target
    batch = np.ndim(target) - n_axes
    own = processes.shard(np.shape(target)[batch]).own
    return target[own] if batch == 0 else target[:, own]
