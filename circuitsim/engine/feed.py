"""Bring what the user gives into the shape that a cycle needs, with clear errors before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.look import Look
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
        self.look = Look(dtype)
        self._sizes = {p.name: p.size for p in motif.populations}
        self.input_names = tuple(dict.fromkeys(name for plan in plans for name in plan.inputs))
        self.signal_names = sorted(signal.name for signal in motif.signals)
        self.output_names = tuple(dict.fromkeys(o.output for o in motif.objectives))

    def inputs(self, x: Any, check: bool = True) -> dict[str, Tensor]:
        """By population, ``[R or 1, B, neuron]``; `check`: look at the numbers too.

        Raises:
            DataError: a missing or unknown population, a wrong shape, batches of different sizes, numbers not finite.
        """
        given = self._by_name(x, self.input_names, "input")
        found = {name: self._input(name, value, check) for name, value in given.items()}
        sizes = {tensor.shape[1] for tensor in found.values()}
        if len(sizes) > 1:
            by_name = {name: tensor.shape[1] for name, tensor in found.items()}
            raise DataError(f"inputs have batches of different sizes: {by_name}")
        if 0 in sizes:
            raise DataError("the batch is empty")
        return found

    def _input(self, name: str, value: Any, check: bool) -> Tensor:
        tensor = self._floats(value, f"input {name!r}", check)
        size = self._sizes[name]
        tensor = tensor.unsqueeze(0) if tensor.ndim == 2 else tensor
        if tensor.ndim != 3 or tensor.shape[2] != size or tensor.shape[0] not in (1, self.n_replicas):
            raise DataError(
                f"input {name!r} has shape {list(np.shape(value))}, needs [batch, {size}] or "
                f"[{self.n_replicas}, batch, {size}]"
            )
        return tensor

    def targets(self, target: Any, n_samples: int, check: bool = True) -> dict[str, Tensor]:
        """By output population, checked for each objective; `check`: look at the numbers too.

        Raises:
            DataError: a missing or unknown output, a wrong shape or type, a class out of range.
        """
        given = self._by_name(target, self.output_names, "target")
        found = {}
        for objective in self.motif.objectives:
            name, loss = objective.output, LOSSES[objective.loss]
            size = self._sizes[name]
            owner = f"target of {name!r}"
            value = given[name]
            tensor = self._tensor(value, owner) if loss.takes_classes else self._floats(value, owner, check)
            found[name] = as_target(tensor, loss, size, self.n_replicas, n_samples, owner)
            if check and loss.takes_classes:
                self.look.for_classes(found[name], size, owner)
        return found

    def check_signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> Mapping[str, Any]:
        """The signals given, by name, if they are those declared; values are checked, functions later.

        Raises:
            DataError: a missing or unknown signal, or a wrong shape.
        """
        given = signals or {}
        if not (given or self.signal_names):
            return given
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
            if value.layout != torch.strided:
                raise DataError(f"{owner}: needs a dense tensor (got {value.layout}): use .to_dense()")
            is_here = value.device == self.device and not value.requires_grad
            return value if is_here else value.detach().to(self.device)
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise DataError(f"{owner}: is not a rectangular array ({error})") from None
        if array.dtype.kind not in "biuf":
            raise DataError(f"{owner}: needs numbers (got dtype {array.dtype})")
        # in an order of bytes and with strides that torch takes
        array = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        return torch.as_tensor(array, device=self.device)

    def _floats(self, value: Any, owner: str, check: bool = True) -> Tensor:
        """In the circuit's type; `check`: finite."""
        tensor = self._tensor(value, owner)
        if tensor.dtype != self.dtype:
            tensor = tensor.to(self.dtype)
        if check:
            self.look.for_finite(tensor, owner)
        return tensor

    @staticmethod
    def ancestors(motif: Motif, population: str) -> set[str]:
        """The populations that a prediction of `population` needs, itself included."""
        return {population} | nx.ancestors(dependency_graph(motif), population)
