"""Probes measure quantities of the circuit during a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.history import History
from circuitsim.whole import whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Probe:
    """A function of the circuit that is called at the start, at regular intervals, and at the end of a run.

    Args:
        function: a function of the circuit. If it returns a number, an array ``[replica]``, a mapping of these, or a
            tidy table with columns replica, quantity, site and value (like `alignment`), the values go into the
            history's table. Anything else goes into `History.records`.
        every_epochs: the number of epochs between calls; ignored if `every_steps` is given.
        every_steps: the number of steps between calls, or None.
    Raises:
        ParameterError: an interval is not a positive whole number.
    Example:
        >>> import circuitsim as cs
        >>> norm = cs.Probe(lambda circuit: circuit.weights("W0").norm(dim=(1, 2)), every_steps=10)
    """

    function: Callable[[Circuit], Any]
    every_epochs: int = 1
    every_steps: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "every_epochs", whole("Probe: every_epochs", self.every_epochs, least=1))
        if self.every_steps is not None:
            object.__setattr__(self, "every_steps", whole("Probe: every_steps", self.every_steps, least=1))

    def is_due_at_step(self, step: int) -> bool:
        """Return whether the probe is due after a step.

        Args:
            step: the number of steps of the run so far.
        Returns:
            True every `every_steps` steps.
        """
        return self.every_steps is not None and step % self.every_steps == 0

    def is_due_at_epoch(self, epoch: int) -> bool:
        """Return whether the probe is due after an epoch.

        Args:
            epoch: the number of epochs of the run so far.
        Returns:
            True every `every_epochs` epochs; always False if `every_steps` is given.
        """
        return self.every_steps is None and epoch % self.every_epochs == 0

    def call(self, name: str, circuit: Circuit, history: History, epoch: float) -> None:
        """Call the function, and add its result to the history.

        Args:
            name: the name of the metric, for a result that is neither a mapping nor a table.
            circuit: the circuit to measure.
            history: the history that receives the result.
            epoch: the number of completed epochs, which may be fractional.
        Raises:
            ParameterError: the function returns a table with a replica that the circuit lacks.
        """
        result = self.function(circuit)
        if _is_table(result) and {"replica", "quantity", "site", "value"} <= set(result.columns):
            _add_table(result, circuit, history, epoch)
            return
        for metric, value in _numbers(name, result):
            if isinstance(value, Tensor) and value.layout != torch.strided:  # such as the weights of sparse projections
                history.record(metric, circuit.n_steps, value)
                continue
            array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
            if array.dtype.kind in "biuf" and array.shape in ((), (1,), (circuit.n_replicas,)):
                spread = np.broadcast_to(array, (circuit.n_replicas,))
                history.add(step=circuit.n_steps, epoch=epoch, split="probe", metric=metric, values=spread)
            else:
                history.record(metric, circuit.n_steps, value)


def _is_table(result: Any) -> TypeGuard[pd.DataFrame]:
    """Return whether the result is a pandas table. If pandas was never imported, it cannot be one."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(result, pandas.DataFrame)


def _numbers(name: str, result: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(result, Mapping):
        yield from result.items()
    else:
        yield name, result


def _add_table(table: pd.DataFrame, circuit: Circuit, history: History, epoch: float) -> None:
    if not table.replica.isin(range(circuit.n_replicas)).all():
        raise ParameterError(
            f"the table of a probe has the replicas {sorted(set(table.replica))}, but the circuit has only 0 .. "
            f"{circuit.n_replicas - 1}"
        )
    for row in table.itertuples(index=False):
        history.rows.append((circuit.n_steps, epoch, row.replica, "probe", row.quantity, row.site, row.value))


def as_probes(probes: Mapping[str, Probe | Callable[[Circuit], Any]] | None) -> dict[str, Probe]:
    """Convert plain functions to probes that are called every epoch."""
    found = {}
    if not isinstance(probes, Mapping | None):
        raise ParameterError(f"probes must be a mapping name -> function of the circuit (got {probes!r})")
    for name, probe in (probes or {}).items():
        if not isinstance(probe, Probe) and not callable(probe):
            raise ParameterError(f"probe {name!r} must be a function of the circuit or a Probe (got {probe!r})")
        found[name] = probe if isinstance(probe, Probe) else Probe(probe)
    return found
