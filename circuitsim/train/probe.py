"""Probes: anything measured on the circuit during a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError
from circuitsim.history import History


@dataclass(frozen=True)
class Probe:
    """A function of the circuit, called at the start, then every so many epochs or steps, and at the end.

    Args:
        function: takes the circuit. A number, an array ``[replica]`` or a mapping of these goes into the history's
            table, and so does a tidy table with columns replica, quantity, site, value (as from `alignment`);
            anything else is kept in `History.records`.
        every_epochs: call after every so many epochs; ignored where `every_steps` is given.
        every_steps: call after every so many steps.
    Raises:
        ParameterError: an interval that is not a positive integer.
    Example:
        >>> import circuitsim as cs
        >>> norm = cs.Probe(lambda circuit: circuit.weights("W0").norm(dim=(1, 2)), every_steps=10)
    """

    function: Callable[[Circuit], Any]
    every_epochs: int = 1
    every_steps: int | None = None

    def __post_init__(self) -> None:
        for name in ("every_epochs", "every_steps"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ParameterError(f"Probe: {name} must be a positive integer (got {value!r})")

    def is_due_at_step(self, step: int) -> bool:
        """Whether to call it now.

        Args:
            step: steps of the run so far.
        Returns:
            True after every so many steps.
        """
        return self.every_steps is not None and step % self.every_steps == 0

    def is_due_at_epoch(self, epoch: int) -> bool:
        """Whether to call it now.

        Args:
            epoch: epochs of the run so far.
        Returns:
            True after every so many epochs; False where `every_steps` is given.
        """
        return self.every_steps is None and epoch % self.every_epochs == 0

    def call(self, name: str, circuit: Circuit, history: History, epoch: float) -> None:
        """Measure, and put the result into the history.

        Args:
            name: metric of a result that is no mapping and no table.
            circuit: what is measured.
            history: where the result goes.
            epoch: epochs done, may be fractional.
        """
        result = self.function(circuit)
        if isinstance(result, pd.DataFrame) and {"replica", "quantity", "site", "value"} <= set(result.columns):
            _add_table(result, circuit, history, epoch)
            return
        for metric, value in _numbers(name, result):
            array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
            if array.dtype.kind in "biuf" and array.shape in ((), (1,), (circuit.n_replicas,)):
                spread = np.broadcast_to(array, (circuit.n_replicas,))
                history.add(step=circuit.n_steps, epoch=epoch, split="probe", metric=metric, values=spread)
            else:
                history.record(metric, circuit.n_steps, value)


def _numbers(name: str, result: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(result, Mapping):
        yield from result.items()
    else:
        yield name, result


def _add_table(table: pd.DataFrame, circuit: Circuit, history: History, epoch: float) -> None:
    for row in table.itertuples(index=False):
        history.rows.append((circuit.n_steps, epoch, row.replica, "probe", row.quantity, row.site, row.value))


def as_probes(probes: Mapping[str, Probe | Callable[[Circuit], Any]] | None) -> dict[str, Probe]:
    """Plain functions become probes that are called every epoch."""
    found = {}
    if not isinstance(probes, Mapping | None):
        raise ParameterError(f"probes must be a mapping name -> function of the circuit (got {probes!r})")
    for name, probe in (probes or {}).items():
        if not isinstance(probe, Probe) and not callable(probe):
            raise ParameterError(f"probe {name!r} must be a function of the circuit or a Probe (got {probe!r})")
        found[name] = probe if isinstance(probe, Probe) else Probe(probe)
    return found
