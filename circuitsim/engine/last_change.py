"""The change of the weights in the last step, which a circuit records if it is asked to."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping

import torch
from torch import Tensor

from circuitsim.engine.layout import Layout, SparseLayout
from circuitsim.plan.quantities import synapse


class LastChange:
    """Subtracts the weights before a step from those after it, so that recording cannot change what a step does.

    Attributes:
        values: the changes in the last step, in storage layout, keyed by projection; empty before the first step.
    """

    def __init__(self, own: Mapping[str, Tensor], projections: Collection[str]) -> None:
        self._own, self._projections = own, projections
        self._before: dict[str, Tensor] = {}
        self.values: dict[str, Tensor] = {}

    def follow(self, before: Mapping[str, Layout], after: Mapping[str, Layout]) -> None:
        """Move the recorded changes of sparse projections to where their synapses are now."""
        for name, values in self.values.items():
            old, new = before[name], after[name]
            if isinstance(old, SparseLayout) and isinstance(new, SparseLayout) and new is not old:
                self.values[name] = new.taken(values, old.numbers)
                self._before.pop(name, None)

    def recording(self) -> contextlib.AbstractContextManager[None]:
        """Record the changes made in this context, unless it fails."""
        return self._subtracting() if self._projections else contextlib.nullcontext()

    @contextlib.contextmanager
    def _subtracting(self) -> Iterator[None]:
        weights = {name: self._own[synapse("w", name).name] for name in self._projections}
        for name, w in weights.items():
            self._before.setdefault(name, torch.empty_like(w)).copy_(w)
        yield
        for name, w in weights.items():
            torch.sub(w, self._before[name], out=self.values.setdefault(name, torch.empty_like(w)))
