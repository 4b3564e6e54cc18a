"""Parameters of rules on the device: a number, one per replica, or one per synapse."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.numbers import parameter
from circuitsim.errors import ParameterError
from circuitsim.motif.motif import Motif

Vary = Mapping[str, Sequence[float]]


def check_vary(motif: Motif, vary: Vary, n_replicas: int) -> None:
    """Check the paths of per-replica values.

    Raises:
        ParameterError: a path names nothing that can vary, or has not one value per replica.
    """
    if not isinstance(vary, Mapping):
        raise ParameterError(f'vary must be a mapping such as {{"W0.eta": [0.1, 0.2]}} (got {vary!r})')
    for path, values in vary.items():
        if path not in (known := _paths(motif)):
            raise ParameterError(f"vary: unknown path {path!r} (known: {', '.join(sorted(known))})")
        try:
            array = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            array = np.full(n_replicas, np.nan)
        if array.shape != (n_replicas,) or not np.isfinite(array).all():
            raise ParameterError(f"vary: {path!r} needs {n_replicas} finite values, one per replica (got {values!r})")


def _paths(motif: Motif) -> set[str]:
    paths = set()
    for p in motif.projections:
        paths |= {f"{p.name}.{name}" for name in (p.rule.parameters if p.rule is not None else ())}
        fields = dataclasses.fields(p.start)
        paths |= {f"{p.name}.init.{f.name}" for f in fields if isinstance(getattr(p.start, f.name), int | float)}
    return paths


def rule_parameters(
    motif: Motif, vary: Vary, layouts: Mapping[str, Layout], n_replicas: int, like: Tensor
) -> dict[str, float | Tensor]:
    """Every parameter by its path: a float, ``[R, 1, 1]``, or values in the layout of its projection.

    Raises:
        ParameterError: a parameter has one value per replica, but not for this number of replicas, or is too large.
    """
    found: dict[str, float | Tensor] = {}
    for p in motif.projections:
        for name, declared in p.rule.parameters.items() if p.rule is not None else ():
            path = f"{p.name}.{name}"
            value: Any = np.asarray(vary.get(path, declared), dtype=float)
            if np.abs(value).max(initial=0.0) > torch.finfo(like.dtype).max:
                raise ParameterError(f"{path} is too large for {like.dtype} (got {value})")
            if value.ndim == 0:
                found[path] = float(value)
                continue
            tensor = torch.as_tensor(np.array(value), dtype=like.dtype, device=like.device)
            if value.ndim == 1:
                if len(value) != n_replicas:
                    raise ParameterError(f"{path} has {len(value)} values; the circuit has {n_replicas} replicas")
                found[path] = tensor.view(-1, 1, 1)
            else:
                found[path] = layouts[p.name].pack(tensor.unsqueeze(0))
    return found


class ScaledParameters:
    """The parameters of all rules, every `eta` multiplied by what a schedule says.

    Args:
        declared: as `rule_parameters` gives them.
    """

    def __init__(self, declared: Mapping[str, float | Tensor]) -> None:
        self.declared, self._scale = declared, 1.0
        self._values: dict[str, float | Tensor] = {
            path: value.clone() if isinstance(value, Tensor) else parameter(path, value)
            for path, value in declared.items()
        }

    def at(self, scale: float) -> Mapping[str, float | Tensor]:
        """All parameters; the same object while `scale` is the same, and always the same tensors."""
        if scale != self._scale:
            self._scale, self._values = scale, {path: self._scaled(path, scale) for path in self.declared}
        return self._values

    def _scaled(self, path: str, scale: float) -> float | Tensor:
        declared, now = self.declared[path], self._values[path]
        if not path.endswith(".eta"):
            return now
        if isinstance(declared, Tensor):
            assert isinstance(now, Tensor)
            return torch.mul(declared, scale, out=now)
        return parameter(path, declared * scale)
