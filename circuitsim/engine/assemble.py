"""Make the tensors of a circuit from its motif: layouts, masks and initial weights of every projection."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.bounds import bounded_, check_bounds
from circuitsim.engine.draws import draw_listed_weights, draw_synapses, draw_weights, reversed_synapses
from circuitsim.engine.layout import DenseLayout, Layout, OneToOneLayout, SparseLayout, derive
from circuitsim.engine.parameters import Vary
from circuitsim.errors import ParameterError
from circuitsim.motif import Constant, Edges, Given, Motif, Projection, ReciprocalOf, TransposeOf, checks
from circuitsim.motif.connectivity import NamedMatrix
from circuitsim.motif.neuron_names import matrix_of
from circuitsim.motif.synapses import bounds_of, differs, outside_fault, settled, signed
from circuitsim.plan import layout_of
from circuitsim.plan.quantities import neuron, synapse

Synapses = Sequence[np.ndarray | None]  # the synapses of each replica, as in `draws`


def assemble(
    motif: Motif, seeds: Sequence[int], vary: Vary, like: Tensor
) -> tuple[dict[str, Layout], dict[str, Tensor]]:
    """Make the layouts of all projections for a replica of each seed, and initial weights and states, keyed by their
    names in programs.

    Weights and synaptic states have the layout of their projection, states of neurons ``[replica, 1, neuron]``. All
    have the data type and device of `like`.

    Raises:
        ParameterError: a Given array or a Mask does not have one entry per replica, a varied constant lies outside the
            bounds, or an initial value or a bound is too large for the data type.
    """
    n_replicas = len(seeds)
    layouts: dict[str, Layout] = {}
    values: dict[str, Tensor] = {}
    drawn = [p for p in motif.projections if p.tied_to is None]
    for p in drawn:
        _check_replicas(p, n_replicas)
        check_bounds(f"projection {p.name!r}", p.bounds, like.dtype)
    synapses = {p.name: _of_replicas(motif, p, seeds) for p in drawn}
    for p in sorted(drawn, key=lambda p: isinstance(p.connectivity, ReciprocalOf)):  # ReciprocalOf after its partner
        layouts[p.name] = _layout(motif, p, synapses[p.name], layouts, like)
    for p in sorted(drawn, key=lambda p: isinstance(p.start, TransposeOf)):  # TransposeOf after its partner
        if isinstance(p.start, TransposeOf):
            other = p.start.projection
            weights = _transposed(layouts[other], values[synapse("w", other).name], synapses[p.name])
        else:
            weights = [_weights(motif, p, vary, present, seeds[r], r) for r, present in enumerate(synapses[p.name])]
        drawn_values = _checked(layouts[p.name].place(weights, like), f"projection {p.name!r}")
        values[synapse("w", p.name).name] = layouts[p.name].restrict_(bounded_(drawn_values, bounds_of(motif, p)))
    for p in motif.projections:
        for name, state in p.state.items():
            start = _tensor(np.full(values[synapse("w", p.name).name].shape, float(state.start)), like)
            start = layouts[p.name].restrict_(_checked(start, f"projection {p.name!r}: state {name!r}"))
            values |= {synapse(name, p.name).name: start} if not state.per_sample else {}
    for population in motif.populations:
        for name, state in population.state.items():
            start = _tensor(np.full((n_replicas, 1, population.size), float(state.start)), like)
            _checked(start, f"population {population.name!r}: state {name!r}")
            values |= {neuron(name, population.name).name: start} if not state.per_sample else {}
    derive(motif, layouts)
    return layouts, values


def _weights(
    motif: Motif, p: Projection, vary: Vary, synapses: np.ndarray | None, seed: int, replica: int
) -> np.ndarray:
    init, shape = _declared(motif, p, varied(motif, p, vary, replica)), checks.shape(motif, p)
    if isinstance(p.connectivity, Edges):
        weights = draw_listed_weights(init, p.connectivity, shape, seed, p.name, replica)
    else:
        weights = draw_weights(init, shape, synapses, seed, p.name, replica)
    if isinstance(init, Constant) and (fault := outside_fault("Constant lies", weights, bounds_of(motif, p))):
        raise ParameterError(f"projection {p.name!r}, replica {replica}: {fault}")
    return weights


def _transposed(layout: Layout, values: Tensor, synapses: Synapses) -> list[np.ndarray]:
    """The weights of another projection at the same pairs of neurons, 0 where it has no synapse."""
    n_pre, n_post = layout.shape
    found = []
    for r, own in enumerate(synapses):
        pre, post = (index.cpu().numpy() for index in layout.synapses(r))
        numbers, weights = post * n_pre + pre, layout.at_synapses(values, r).double().cpu().numpy()
        own = np.arange(n_post * n_pre) if own is None else own
        _, here, there = np.intersect1d(own, numbers, assume_unique=True, return_indices=True)
        found.append(np.zeros(len(own)))
        found[-1][here] = weights[there]
    return found


def _declared(motif: Motif, p: Projection, value: Any) -> Any:
    """Given weights with the neurons in the order of their populations; other values unchanged."""
    return Given(matrix_of(motif, p, value)) if isinstance(value, Given) else value


def _check_replicas(p: Projection, n_replicas: int) -> None:
    for value in (p.start, p.connectivity):
        if isinstance(value, NamedMatrix) and value.array.ndim == 3 and len(value.array) != n_replicas:
            raise ParameterError(
                f"projection {p.name!r}: {type(value).__name__} holds {len(value.array)} replicas; the circuit has "
                f"{n_replicas}"
            )


def _synapses(motif: Motif, p: Projection, seed: int, replica: int) -> np.ndarray | None:
    shape = checks.shape(motif, p)
    if isinstance(p.connectivity, ReciprocalOf):
        other = motif.projection(p.connectivity.projection)
        return reversed_synapses(_synapses(motif, other, seed, replica), shape[::-1])
    return draw_synapses(settled(motif, p), shape, seed, p.name, replica)


def _of_replicas(motif: Motif, p: Projection, seeds: Sequence[int]) -> Synapses:
    if differs(motif, p):
        return [_synapses(motif, p, seed, r) for r, seed in enumerate(seeds)]
    return [_synapses(motif, p, seeds[0], 0)] * len(seeds)


def _layout(motif: Motif, p: Projection, synapses: Synapses, layouts: Mapping[str, Layout], like: Tensor) -> Layout:
    shape, kind = checks.shape(motif, p), layout_of(motif, p)
    if kind == "one_to_one":
        return OneToOneLayout(shape, None)
    if kind == "sparse":
        if isinstance(p.connectivity, ReciprocalOf):
            return layouts[p.connectivity.projection].reversed()
        return SparseLayout.of(shape, [present for present in synapses if present is not None], like)
    different = synapses if differs(motif, p) else synapses[:1]
    return DenseLayout.of(shape, [present for present in different if present is not None], like)


def _tensor(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(array).to(dtype=like.dtype).to(device=like.device)


def _checked(values: Tensor, owner: str) -> Tensor:
    if not bool(torch.isfinite(values).all()):
        raise ParameterError(f"{owner}: an initial value is too large for {values.dtype}")
    return values


def varied(motif: Motif, p: Projection, vary: Vary, replica: int) -> Any:
    """The declared initial weights, with this replica's values of varied parameters, such as ``V1.init.gain``, and the
    sign of the presynaptic neurons."""
    changes: dict[str, Any] = {
        path.rsplit(".", 1)[1]: float(values[replica])
        for path, values in vary.items()
        if path.startswith(f"{p.name}.init.")
    }
    return signed(motif, p, dataclasses.replace(p.start, **changes))
