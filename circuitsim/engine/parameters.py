"""Parameters of rules on the device: one number, one per replica or one per synapse."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.errors import ParameterError
from circuitsim.motif import Motif
from circuitsim.motif.arrays import as_numbers
from circuitsim.motif.expressions import expressions_of
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.plan.instructions import Operand, Register
from circuitsim.plan.quantities import synapse
from circuitsim.plan.writer import SCALAR, Writer
from circuitsim.rules.elementwise import ELEMENTWISE
from circuitsim.rules.vocabulary import local

Vary = Mapping[str, Sequence[float]]


def check_vary(motif: Motif, vary: Vary, n_replicas: int) -> Vary:
    """Check the paths and numbers of per-replica values, and return them with the paths as they are declared.

    Raises:
        ParameterError: a path is unknown, or does not have one finite value per replica.
    """
    if not isinstance(vary, Mapping):
        raise ParameterError(f'vary must be a mapping such as {{"W0.eta": [0.1, 0.2]}} (got {vary!r})')
    vary = normalized_keys(vary, "paths of vary", ParameterError)
    for path, values in vary.items():
        if path not in (known := _paths(motif)):
            raise ParameterError(f"vary: unknown path {path!r} (known: {', '.join(sorted(known))})")
        try:
            array = as_numbers(values, path, ParameterError)
        except ParameterError:
            array = np.full(n_replicas, np.nan)
        if array.shape != (n_replicas,) or not np.isfinite(array).all():
            raise ParameterError(f"vary: {path!r} needs {n_replicas} finite values, one per replica (got {values!r})")
    return vary


def _paths(motif: Motif) -> set[str]:
    paths = set()
    for p in motif.projections:
        paths |= {f"{p.name}.{name}" for name in (p.rule.parameters if p.rule is not None else ())}
        fields = dataclasses.fields(p.start)
        paths |= {f"{p.name}.init.{f.name}" for f in fields if isinstance(getattr(p.start, f.name), int | float)}
    return paths


def is_read(motif: Motif, path: str) -> bool:
    """Whether a rule reads the parameter with this path, or the path is that of an initial weight."""
    projection, _, name = path.partition(".")
    return "." in name or local(name) in expressions_of(motif).rule[projection].free_symbols


class Parameters:
    """The parameters of all rules, keyed by their names in programs, such as ``W0:eta``. A schedule scales every `eta`.

    Attributes:
        version: a number that changes whenever a value changes.
    Raises:
        ParameterError: a parameter has per-replica values for another number of replicas, or is too large.
    """

    def __init__(self, motif: Motif, vary: Vary, layouts: Mapping[str, Layout], n_replicas: int, like: Tensor) -> None:
        self._arguments = motif, vary, n_replicas, like
        self.version, self._scale = 0, 1.0
        self._scalars: dict[str, float | np.ndarray] = {}
        self._declared: dict[str, Tensor] = {}
        self._tensors: dict[str, Tensor] = {}
        for p in motif.projections:
            for name, declared in p.rule.parameters.items() if p.rule is not None else ():
                path = f"{p.name}.{name}"
                value: Any = np.asarray(vary.get(path, declared), dtype=float)
                if np.abs(value).max(initial=0.0) > torch.finfo(like.dtype).max:
                    raise ParameterError(f"{path} must be representable in {like.dtype} (got {value})")
                key = synapse(name, p.name).name
                if value.ndim == 2:
                    tensor = torch.as_tensor(np.array(value), dtype=like.dtype, device=like.device)
                    self._declared[key] = layouts[p.name].pack(tensor.unsqueeze(0))
                    self._tensors[key] = self._declared[key].clone()
                elif value.ndim == 1 and len(value) != n_replicas:
                    raise ParameterError(f"{path} has {len(value)} values; the circuit has {n_replicas} replicas")
                else:
                    self._scalars[key] = np.array(value).reshape(-1, 1, 1) if value.ndim else float(value)

    def placed(self, layouts: Mapping[str, Layout]) -> Parameters:
        motif, vary, n_replicas, like = self._arguments
        found = Parameters(motif, vary, layouts, n_replicas, like)
        found.scale_eta(self._scale)
        return found

    def scale_eta(self, scale: float) -> None:
        """Set the factor of every `eta`."""
        if scale == self._scale:
            return
        self._scale, self.version = scale, self.version + 1
        for name, declared in self._declared.items():
            if _is_eta(name):
                torch.mul(declared, scale, out=self._tensors[name])

    def scalar(self, name: str) -> float | np.ndarray:
        """A parameter as one number, or one for each replica, ``[R, 1, 1]``."""
        value = self._scalars[name]
        return value * self._scale if _is_eta(name) else value

    def tensor(self, name: str) -> Tensor:
        """A parameter with one number per synapse, in the layout of its projection. The memory never moves."""
        return self._tensors[name]

    def of_replicas(self, path: str, n_replicas: int) -> np.ndarray:
        """A parameter's value in each replica, without the factor of a schedule, ``[replica]``.

        Raises:
            ParameterError: the parameter has a value for each synapse, which all replicas share.
        """
        projection, _, name = path.partition(".")
        key = synapse(name, projection).name
        if key in self._declared:
            raise ParameterError(f"{path} is declared per synapse, so it cannot differ between replicas")
        return np.array(np.broadcast_to(np.reshape(self._scalars[key], -1), n_replicas))

    def declared(self, name: str) -> float | np.ndarray | Tensor:
        """A parameter's value without the factor of a schedule."""
        return self._scalars[name] if name in self._scalars else self._declared[name]


def _is_eta(name: str) -> bool:
    return name.endswith(":eta")


def evaluate(expression: sympy.Expr, parameters: Parameters, like: Tensor) -> float | Tensor:
    """Evaluate an expression in declared parameters, to a number or to a tensor that broadcasts over synapses."""
    writer, values = Writer(), dict[Operand, Any]()

    def declared(symbol: sympy.Symbol) -> Register:
        register, value = Register(symbol.name, SCALAR), parameters.declared(symbol.name)
        values[register] = value.cpu().double().numpy() if isinstance(value, Tensor) else np.asarray(value)
        return register

    result = writer.expression(expression, declared)
    with np.errstate(all="ignore"):
        for i in writer.lines:
            values[i.out] = ELEMENTWISE[i.op](*(values.get(a, a) for a in i.args))
    found = np.asarray(values.get(result, result))
    return torch.as_tensor(found).to(like) if found.ndim else float(found)
