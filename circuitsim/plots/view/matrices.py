"""The weights of a run in the form that the page reads: ordered, with a colour scale, and encoded as text."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.motif import Projection
from circuitsim.plots.matrices import cosine, groups, limit_of, neuron_order
from circuitsim.plots.style import KIND_COLOURS, kind_of, plasticity_of
from circuitsim.weight_history import WeightHistory


def matrix_groups(circuit: Circuit, kept: WeightHistory) -> list[dict[str, Any]]:
    """The groups of matrices that are shown together, ready for JSON: V1 beside Vt1^T, any other projection alone.

    All matrices of a group have the orientation and the order of neurons of the first. Neurons are ordered by the
    leading singular vectors of the last weights. A group has one colour scale, which ends at the 99.5th percentile of
    all absolute weights.
    """
    motif = circuit.motif
    sizes = {p.name: (int(motif.population(p.post).size), int(motif.population(p.pre).size)) for p in motif.projections}
    return [_group(circuit, kept, names) for names in groups(sizes, None)]


def _group(circuit: Circuit, kept: WeightHistory, names: tuple[str, ...]) -> dict[str, Any]:
    shown = [kept.weights[names[0]], *(kept.weights[name].swapaxes(1, 2) for name in names[1:])]
    numbers = [np.nan_to_num(array).astype(float) for array in shown]
    rows, columns = neuron_order(np.sum([array[-1] for array in numbers], axis=0))
    cosines = [cosine(a, b) for a, b in zip(*numbers, strict=True)] if len(names) == 2 else []
    return {
        "names": names,
        "rows": rows.tolist(),
        "columns": columns.tolist(),
        "limit": limit_of(np.array(shown)),
        "cosines": [value if np.isfinite(value) else None for value in cosines],
        "matrices": [
            _matrix(circuit, circuit.motif.projection(name), array, transposed=k > 0, replica=kept.replica)
            for k, (name, array) in enumerate(zip(names, shown, strict=True))
        ],
    }


def _matrix(circuit: Circuit, p: Projection, shown: np.ndarray, transposed: bool, replica: int) -> dict[str, Any]:
    kind = kind_of(circuit.motif, p.name)
    return {
        "name": p.name,
        "pre": p.pre,
        "post": p.post,
        "compartment": p.compartment,
        "transposed": transposed,
        "plasticity": f"tied to {p.tied_to.projection}" if p.tied_to is not None else plasticity_of(p),
        "kind": kind,
        "colour": KIND_COLOURS[kind],
        "rule": p.rule.expression if p.rule is not None else None,
        "parameters": {n: _parameter(value, replica) for n, value in circuit.parameters(p.name).items()},
        "shape": shown.shape,
        "weights": base64.b64encode(np.ascontiguousarray(shown, dtype="<f4").tobytes()).decode(),
    }


def _parameter(value: Any, replica: int) -> str:
    if isinstance(value, Tensor):
        return f"{float(value[replica]):.6g}" if value.ndim == 1 else "one per synapse"
    return f"{float(value):.6g}"
