"""Weights that a user sets: of any kind of array, checked against the synapses and bounds of their projection."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.bounds import bounded_
from circuitsim.engine.layout import Layout
from circuitsim.errors import ParameterError
from circuitsim.motif import Motif, Projection
from circuitsim.motif.arrays import as_numbers, counted_are, labelled, place_of
from circuitsim.motif.neuron_names import in_order, name_fault
from circuitsim.motif.synapses import bounds_of, outside_fault, stray_fault


def read_weights(motif: Motif, p: Projection, layout: Layout, n_replicas: int, weights: Any, like: Tensor) -> Tensor:
    """Return weights ``[post, pre]`` or ``[replica, post, pre]`` (see `Circuit.set_weights`) in a projection's layout.

    Raises:
        ParameterError: the shape is wrong, or a weight is not finite, outside the bounds, or where there is no synapse.
    """
    owner = f"projection {p.name!r}"
    matrix = read_matrix(motif, p, (n_replicas, *layout.shape), weights, owner).to(device=like.device, dtype=like.dtype)
    matrix = matrix if matrix.ndim == 3 else matrix.unsqueeze(0)
    if not torch.isfinite(matrix if matrix.layout == torch.strided else matrix.values()).all():
        wrong = ~np.isfinite(_dense(matrix))
        raise ParameterError(
            f"{owner}: weights: {counted_are(wrong)} not finite in {like.dtype}, the first "
            f"({_dense(matrix)[tuple(np.argwhere(wrong)[0])]:g}) {place_of(wrong)}"
        )
    mask = torch.ones(1, *layout.value_shape).to(like) if layout.mask is None else layout.mask
    try:
        values = layout.from_matrix(matrix)
    except ValueError:
        present = _dense(layout.matrix(mask)) != 0
        raise ParameterError(f"{owner}: {stray_fault('weights are given', _dense(matrix), present)}") from None
    bounds = bounds_of(motif, p)
    if bounds is None:
        return values
    low, high = (None if end is None else float(values.new_tensor(end)) for end in bounds)
    if outside_fault("", values.cpu().numpy(), (low, high), mask.cpu().numpy() != 0):
        present = _dense(layout.matrix(mask)) != 0
        raise ParameterError(f"{owner}: {outside_fault('weights lie', _dense(matrix), (low, high), present)}")
    return layout.restrict_(bounded_(values.clone(), bounds))


def read_matrix(motif: Motif, p: Projection, shape: tuple[int, int, int], weights: Any, owner: str) -> Tensor:
    """The weights as a tensor on any device, dense or a batch of sparse CSR matrices, with the neurons in order.

    Raises:
        ParameterError: an entry is no number, or the shape or a label is wrong.
    """
    post_names = pre_names = None
    if isinstance(weights, Tensor) and weights.layout == torch.sparse_csr and weights.ndim == 3:
        matrix = weights.detach()  # stays sparse
    else:
        array, post_names, pre_names = labelled(weights, as_numbers(weights, f"{owner}: weights", ParameterError))
        matrix = torch.from_numpy(array)
    if tuple(matrix.shape) not in (shape, shape[1:]):
        raise ParameterError(f"{owner}: weights have shape {tuple(matrix.shape)}, needs {shape} or {shape[1:]}")
    for population, names in ((p.post, post_names), (p.pre, pre_names)):
        if names is not None and (fault := name_fault(motif, population, names)):
            raise ParameterError(f"{owner}: weights: {fault}")
    if post_names is None and pre_names is None:
        return matrix
    return torch.from_numpy(in_order(motif, p, matrix.numpy(), post_names, pre_names))


def _dense(matrix: Tensor) -> np.ndarray:
    return matrix.detach().to_dense().cpu().double().numpy()
