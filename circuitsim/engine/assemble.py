"""From a motif to the tensors of a circuit: layouts, masks and starting weights of every projection."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.draws import draw_mask, draw_weights
from circuitsim.engine.layout import LAYOUTS, Layout
from circuitsim.engine.parameters import Vary
from circuitsim.errors import ParameterError
from circuitsim.motif.connectivity import Random, ReciprocalOf
from circuitsim.motif.init import Given
from circuitsim.motif.motif import Motif
from circuitsim.motif.projection import Projection
from circuitsim.plan import layout_of


def assemble(
    motif: Motif, seed: int, n_replicas: int, vary: Vary, like: Tensor
) -> tuple[dict[str, Layout], dict[str, Tensor]]:
    """Layouts of all projections, and starting weights of those that are not derived, in the type of `like`.

    States are among the weights, under ``owner.name``: per synapse in the layout of the projection, per neuron
    ``[replica, 1, neuron]``.

    Raises:
        ParameterError: a Given array does not have one entry per replica, or a start is too large for the type.
    """
    layouts: dict[str, Layout] = {}
    values: dict[str, Tensor] = {}
    for p in motif.projections:
        if p.weight is not None:
            continue
        shape, kind = _shape(motif, p), layout_of(motif, p)
        if isinstance(p.start, Given) and p.start.array.ndim == 3 and len(p.start.array) != n_replicas:
            raise ParameterError(
                f"projection {p.name!r}: Given holds {len(p.start.array)} replicas; the circuit has {n_replicas}"
            )
        masks = [_mask(motif, p, shape, seed + r) for r in range(n_replicas)]
        weights = [draw_weights(_varied(p, vary, r), shape, masks[r], seed + r, p.name, r) for r in range(n_replicas)]
        layouts[p.name] = LAYOUTS[kind](shape, None)
        present = [mask for mask in masks if mask is not None]
        if kind == "dense" and present:
            layouts[p.name].mask = _tensor(np.stack(present if _is_random(motif, p) else present[:1]), like)
        values[p.name] = _checked(layouts[p.name].pack(_tensor(np.stack(weights), like)), f"projection {p.name!r}")
    for p in motif.projections:
        for name, state in p.state.items():
            start = _tensor(np.full(values[p.name].shape, float(state.start)), like)
            values[f"{p.name}.{name}"] = layouts[p.name].present(
                _checked(start, f"projection {p.name!r}: state {name!r}")
            )
    for population in motif.populations:
        for name, state in population.state.items():
            start = _tensor(np.full((n_replicas, 1, population.size), float(state.start)), like)
            values[f"{population.name}.{name}"] = _checked(start, f"population {population.name!r}: state {name!r}")
    for p in motif.projections:
        if p.weight is not None:
            source = layouts[p.weight.projection]
            mask = source.mask
            if mask is not None and p.weight.transpose:
                mask = source.transposed(mask)
            layouts[p.name] = type(source)(_shape(motif, p), mask)
    return layouts, values


def _shape(motif: Motif, p: Projection) -> tuple[int, int]:
    return motif.population(p.post).size, motif.population(p.pre).size


def _tensor(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(array).to(dtype=like.dtype).to(device=like.device)


def _checked(values: Tensor, owner: str) -> Tensor:
    if not bool(torch.isfinite(values).all()):
        raise ParameterError(f"{owner}: it starts with a value too large for {values.dtype}")
    return values


def _mask(motif: Motif, p: Projection, shape: tuple[int, int], seed: int) -> np.ndarray | None:
    if isinstance(p.connectivity, ReciprocalOf):
        other = motif.projection(p.connectivity.projection)
        mask = draw_mask(other.connectivity, shape[::-1], seed, other.name)
        return None if mask is None else mask.T
    return draw_mask(p.connectivity, shape, seed, p.name)


def _is_random(motif: Motif, p: Projection) -> bool:
    if isinstance(p.connectivity, ReciprocalOf):
        return _is_random(motif, motif.projection(p.connectivity.projection))
    return isinstance(p.connectivity, Random)


def _varied(p: Projection, vary: Vary, replica: int) -> Any:
    """The declared start, with this replica's values of what varies, such as ``V1.init.gain``."""
    changes: dict[str, Any] = {
        path.rsplit(".", 1)[1]: float(values[replica])
        for path, values in vary.items()
        if path.startswith(f"{p.name}.init.")
    }
    return dataclasses.replace(p.start, **changes) if changes else p.start
