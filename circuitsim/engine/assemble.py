"""From a motif to the tensors of a circuit: layouts, masks and starting weights of every projection."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.draws import draw_synapses, draw_weights, reversed_synapses
from circuitsim.engine.layout import DenseLayout, Layout, OneToOneLayout, SparseLayout
from circuitsim.engine.parameters import Vary
from circuitsim.engine.products import BLAS, Products
from circuitsim.errors import ParameterError
from circuitsim.motif.connectivity import Random, ReciprocalOf
from circuitsim.motif.init import Given
from circuitsim.motif.motif import Motif
from circuitsim.motif.projection import Projection
from circuitsim.plan import layout_of

Synapses = Sequence[np.ndarray | None]  # of each replica, as in `draws`


def assemble(
    motif: Motif, seed: int, n_replicas: int, vary: Vary, like: Tensor, products: Products = BLAS
) -> tuple[dict[str, Layout], dict[str, Tensor]]:
    """Layouts of all projections, and starting weights of those that are not derived, in the type of `like`.

    States are among the weights, under ``owner.name``: per synapse in the layout of the projection, per neuron
    ``[replica, 1, neuron]``.

    Raises:
        ParameterError: a Given array does not have one entry per replica, or a start is too large for the type.
    """
    layouts: dict[str, Layout] = {}
    values: dict[str, Tensor] = {}
    drawn = [p for p in motif.projections if p.weight is None]
    synapses = {p.name: [_synapses(motif, p, seed + r) for r in range(n_replicas)] for p in drawn}
    for p in sorted(drawn, key=lambda p: isinstance(p.connectivity, ReciprocalOf)):  # those after their partners
        _check_given(p, n_replicas)
        layouts[p.name] = _layout(motif, p, synapses[p.name], layouts, like, products)
    for p in drawn:
        weights = [
            draw_weights(_varied(p, vary, r), _shape(motif, p), present, seed + r, p.name, r)
            for r, present in enumerate(synapses[p.name])
        ]
        values[p.name] = _checked(_values(layouts[p.name], synapses[p.name], weights, like), f"projection {p.name!r}")
    for p in motif.projections:
        for name, state in p.state.items():
            start = _tensor(np.full(values[p.name].shape, float(state.start)), like)
            values[f"{p.name}.{name}"] = layouts[p.name].restrict_(
                _checked(start, f"projection {p.name!r}: state {name!r}")
            )
    for population in motif.populations:
        for name, state in population.state.items():
            start = _tensor(np.full((n_replicas, 1, population.size), float(state.start)), like)
            values[f"{population.name}.{name}"] = _checked(start, f"population {population.name!r}: state {name!r}")
    for p in motif.projections:
        if p.weight is not None:
            source = layouts[p.weight.projection]
            layouts[p.name] = source.reversed() if p.weight.transpose else source
    return layouts, values


def _shape(motif: Motif, p: Projection) -> tuple[int, int]:
    return motif.population(p.post).size, motif.population(p.pre).size


def _check_given(p: Projection, n_replicas: int) -> None:
    if isinstance(p.start, Given) and p.start.array.ndim == 3 and len(p.start.array) != n_replicas:
        raise ParameterError(
            f"projection {p.name!r}: Given holds {len(p.start.array)} replicas; the circuit has {n_replicas}"
        )


def _synapses(motif: Motif, p: Projection, seed: int) -> np.ndarray | None:
    shape = _shape(motif, p)
    if isinstance(p.connectivity, ReciprocalOf):
        other = motif.projection(p.connectivity.projection)
        return reversed_synapses(draw_synapses(other.connectivity, shape[::-1], seed, other.name), shape[::-1])
    return draw_synapses(p.connectivity, shape, seed, p.name)


def _layout(
    motif: Motif, p: Projection, synapses: Synapses, layouts: Mapping[str, Layout], like: Tensor, products: Products
) -> Layout:
    shape, kind = _shape(motif, p), layout_of(motif, p)
    if kind == "one_to_one":
        return OneToOneLayout(shape, None)
    if kind == "sparse":
        if isinstance(p.connectivity, ReciprocalOf):
            return layouts[p.connectivity.projection].reversed()
        return SparseLayout.of(shape, [present for present in synapses if present is not None], like)
    different = synapses if _is_random(motif, p) else synapses[:1]
    masks = [_array(shape, present, np.ones(len(present))) for present in different if present is not None]
    return DenseLayout(shape, _tensor(np.stack(masks), like) if masks else None, products)


def _values(layout: Layout, synapses: Synapses, weights: Sequence[np.ndarray], like: Tensor) -> Tensor:
    if isinstance(layout, SparseLayout):
        return layout.place(weights, like)
    if isinstance(layout, OneToOneLayout):
        return _tensor(np.stack(weights)[:, None], like)
    pairs = zip(synapses, weights, strict=True)
    return _tensor(np.stack([_array(layout.shape, present, chosen) for present, chosen in pairs]), like)


def _array(shape: tuple[int, int], synapses: np.ndarray | None, numbers: np.ndarray) -> np.ndarray:
    """Numbers at their synapses, 0 elsewhere, ``[post, pre]``."""
    if synapses is None:
        return numbers.reshape(shape)
    array = np.zeros(shape)
    array.reshape(-1)[synapses] = numbers
    return array


def _tensor(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(array).to(dtype=like.dtype).to(device=like.device)


def _checked(values: Tensor, owner: str) -> Tensor:
    if not bool(torch.isfinite(values).all()):
        raise ParameterError(f"{owner}: it starts with a value too large for {values.dtype}")
    return values


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
