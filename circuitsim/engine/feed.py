"""Bring what the user gives into the shape that a cycle needs, with clear errors before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.losses import LOSSES, as_target
from circuitsim.errors import DataError
from circuitsim.motif.motif import Motif
from circuitsim.motif.sweep_order import dependency_graph
from circuitsim.plan import Plan


class Feed:
    """Inputs and targets of one plan."""

    def __init__(self, plan: Plan, n_replicas: int, device: torch.device, dtype: torch.dtype) -> None:
        self.plan, self.n_replicas, self.device, self.dtype = plan, n_replicas, device, dtype

    def inputs(self, x: Any) -> dict[str, Tensor]:
        """By population, ``[R or 1, B, neuron]``.

        Raises:
            DataError: a missing or unknown population, a wrong shape, batches of different sizes.
        """
        given = self._by_name(x, self.plan.inputs, "input")
        found = {name: self._input(name, value) for name, value in given.items()}
        sizes = {name: tensor.shape[1] for name, tensor in found.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(f"inputs have batches of different sizes: {sizes}")
        if 0 in sizes.values():
            raise DataError("the batch is empty")
        return found

    def _input(self, name: str, value: Any) -> Tensor:
        tensor = self._tensor(value, f"input {name!r}").to(self.dtype)
        size = self.plan.populations[name].size
        tensor = tensor.unsqueeze(0) if tensor.ndim == 2 else tensor
        if tensor.ndim != 3 or tensor.shape[2] != size or tensor.shape[0] not in (1, self.n_replicas):
            raise DataError(
                f"input {name!r} has shape {list(np.shape(value))}, needs [batch, {size}] or "
                f"[{self.n_replicas}, batch, {size}]"
            )
        return tensor

    def targets(self, target: Any, n_samples: int) -> dict[str, Tensor]:
        """By output population, checked for each objective.

        Raises:
            DataError: a missing or unknown output, a wrong shape or type, a class out of range.
        """
        given = self._by_name(target, self.plan.outputs, "target")
        found = {}
        for objective in self.plan.objectives:
            name, loss = objective.output, LOSSES[objective.loss]
            size = self.plan.populations[name].size
            tensor = self._tensor(given[name], f"target of {name!r}")
            tensor = as_target(tensor, loss, size, self.n_replicas, n_samples, f"target of {name!r}")
            found[name] = tensor if loss.takes_classes else tensor.to(self.dtype)
        return found

    def _by_name(self, given: Any, names: tuple[str, ...], what: str) -> Mapping[str, Any]:
        if given is None:
            raise DataError(f"{what} is missing: give {what}s for {list(names)}")
        if not isinstance(given, Mapping):
            if len(names) != 1:
                raise DataError(f"the motif has {len(names)} {what}s {list(names)}: give a dict by population")
            return {names[0]: given}
        if set(given) != set(names):
            raise DataError(f"{what}s are given for {sorted(map(str, given))}, needed for {sorted(names)}")
        return given

    def _tensor(self, value: Any, owner: str) -> Tensor:
        if isinstance(value, Tensor):
            return value.detach().to(self.device)
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise DataError(f"{owner}: needs numbers (got dtype {array.dtype})")
        return torch.as_tensor(array, device=self.device)

    @staticmethod
    def ancestors(motif: Motif, population: str) -> set[str]:
        """The populations that a prediction of `population` needs, itself included."""
        return {population} | nx.ancestors(dependency_graph(motif), population)
