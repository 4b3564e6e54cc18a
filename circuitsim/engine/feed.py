"""Bring what the user gives into the shape that a cycle needs, with clear errors before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.losses import LOSSES, as_target
from circuitsim.engine.share import Share
from circuitsim.errors import DataError
from circuitsim.motif.motif import Motif
from circuitsim.motif.sweep_order import dependency_graph
from circuitsim.plan import Plan


class Feed:
    """Inputs, targets and signals of one motif."""

    def __init__(
        self, motif: Motif, plans: Sequence[Plan], n_replicas: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.motif, self.n_replicas, self.device, self.dtype = motif, n_replicas, device, dtype
        self._total = torch.empty((), dtype=dtype)
        self.input_names = tuple(dict.fromkeys(name for plan in plans for name in plan.inputs))
        self.signal_names = sorted(signal.name for signal in motif.signals)
        self.output_names = tuple(dict.fromkeys(o.output for o in motif.objectives))

    def inputs(self, x: Any) -> dict[str, Tensor]:
        """By population, ``[R or 1, B, neuron]``.

        Raises:
            DataError: a missing or unknown population, a wrong shape, batches of different sizes.
        """
        given = self._by_name(x, self.input_names, "input")
        found = {name: self._input(name, value) for name, value in given.items()}
        sizes = {name: tensor.shape[1] for name, tensor in found.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(f"inputs have batches of different sizes: {sizes}")
        if 0 in sizes.values():
            raise DataError("the batch is empty")
        return found

    def _input(self, name: str, value: Any) -> Tensor:
        tensor = self._floats(value, f"input {name!r}")
        size = self.motif.population(name).size
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
        given = self._by_name(target, self.output_names, "target")
        found = {}
        for objective in self.motif.objectives:
            name, loss = objective.output, LOSSES[objective.loss]
            size = self.motif.population(name).size
            owner = f"target of {name!r}"
            tensor = self._tensor(given[name], owner) if loss.takes_classes else self._floats(given[name], owner)
            found[name] = as_target(tensor, loss, size, self.n_replicas, n_samples, owner)
        return found

    def check_signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> Mapping[str, Any]:
        """The signals given, by name, if they are those declared; values are checked, functions later.

        Raises:
            DataError: a missing or unknown signal, or a wrong shape.
        """
        given = signals or {}
        if sorted(given) != self.signal_names:
            raise DataError(f"signals are given for {sorted(given)}, needed for {self.signal_names}")
        for name, value in given.items():
            if not callable(value):
                self._signal(name, value, n_samples)
        return given

    def signals(self, given: Mapping[str, Any], share: Share) -> dict[str, Tensor]:
        """By quantity, ``[R, own samples, 1]``; a function is called now, and gives those of the own samples."""
        n_own = len(range(share.n_samples)[share.own])
        return {
            f"signal[{name}]": self._signal(name, value(), n_own)
            if callable(value)
            else share.part(self._signal(name, value, share.n_samples))
            for name, value in given.items()
        }

    def _signal(self, name: str, value: Any, n_samples: int) -> Tensor:
        tensor = self._floats(value, f"signal {name!r}")
        tensor = tensor.unsqueeze(0) if tensor.ndim == 1 else tensor
        if tensor.ndim != 2 or tensor.shape[0] not in (1, self.n_replicas) or tensor.shape[1] != n_samples:
            raise DataError(
                f"signal {name!r} has shape {list(np.shape(value))}, needs [{n_samples}] or "
                f"[{self.n_replicas}, {n_samples}]"
            )
        return tensor.unsqueeze(-1).expand(self.n_replicas, -1, -1)

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
            if value.is_complex():
                raise DataError(f"{owner}: needs real numbers (got {value.dtype})")
            return value.detach().to(self.device)
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise DataError(f"{owner}: is not a rectangular array ({error})") from None
        if array.dtype.kind not in "biuf":
            raise DataError(f"{owner}: needs numbers (got dtype {array.dtype})")
        # in an order of bytes and with strides that torch takes
        array = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        return torch.as_tensor(array, device=self.device)

    def _floats(self, value: Any, owner: str) -> Tensor:
        """In the circuit's type; finite, where looking does not make a GPU wait."""
        tensor = self._tensor(value, owner).to(self.dtype)
        if tensor.device.type != "cpu":
            return tensor
        # the sum of finite numbers is finite, but for some too large ones: only then it is worth a second look
        total = torch.sum(tensor, tuple(range(tensor.ndim)), out=self._total)
        if not math.isfinite(total.numpy()):
            numbers = tensor.numpy()
            if n_wrong := numbers.size - np.count_nonzero(np.isfinite(numbers)):
                raise DataError(f"{owner}: {n_wrong} values are not finite in {self.dtype}: drop, fill or rescale them")
        return tensor

    @staticmethod
    def ancestors(motif: Motif, population: str) -> set[str]:
        """The populations that a prediction of `population` needs, itself included."""
        return {population} | nx.ancestors(dependency_graph(motif), population)
