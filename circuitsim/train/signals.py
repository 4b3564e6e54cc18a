"""Signals of a run: what is told to the circuit after each cycle, such as a reward for its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from circuitsim.engine import Circuit
from circuitsim.engine.share import Processes
from circuitsim.errors import ParameterError

SignalFunctions = Mapping[str, Callable[[Circuit, Any], Any]]  # by name: (circuit, target) -> one number per sample


def check_signals(circuit: Circuit, signals: SignalFunctions | None) -> SignalFunctions:
    """The signals given, if they are those declared.

    Raises:
        ParameterError: a missing or unknown signal, or one that is no function.
    """
    given, declared = signals or {}, sorted(signal.name for signal in circuit.motif.signals)
    if sorted(given) != declared:
        raise ParameterError(
            f"motif {circuit.motif.name!r} takes signals {declared}, and fit is given {sorted(given)}: "
            "pass signals={name: function of (circuit, target)}"
        )
    for name, function in given.items():
        if not callable(function):
            raise ParameterError(f"signal {name!r} must be a function of (circuit, target) (got {function!r})")
    return given


def signals_of_batch(
    signals: SignalFunctions, target: Any, processes: Processes
) -> dict[str, Callable[[Circuit], Any]]:
    """The functions as `Circuit.step` takes them, for one batch; under torchrun they see their own samples' targets."""
    if not signals:
        return {}
    own = {k: _own(v, processes) for k, v in target.items()} if isinstance(target, Mapping) else _own(target, processes)

    def told(function: Callable[[Circuit, Any], Any]) -> Callable[[Circuit], Any]:
        return lambda circuit: function(circuit, own)

    return {name: told(function) for name, function in signals.items()}


def _own(target: Any, processes: Processes) -> Any:
    return None if target is None else target[processes.share(len(target)).own]
