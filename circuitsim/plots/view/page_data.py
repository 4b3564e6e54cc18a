"""What the script of the page draws: the weights of a run, ordered and encoded as text, and its curves."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.motif import Projection
from circuitsim.plots.matrices import cosine, groups, limit_of, neuron_order
from circuitsim.plots.self_assembly_figure import informative
from circuitsim.plots.series import Series, mean_over_sites, n_runaways, natural, series
from circuitsim.plots.style import KIND_COLOURS, colour_table, kind_of, plasticity_of, run_style
from circuitsim.plots.view.run_folder import RunFolder
from circuitsim.weight_history import WeightHistory

BYTES = 7e6  # the most bytes of weights; encoded as text they take a third more
FIRST = ("accuracy", "auc", "loss", "gradient_cosine", "stationarity_cosine", "mirror_cosine")  # shown first
SPLITS = ("validation", "online", "probe", "test", "train")  # the first with more than one moment is shown
TITLES = {
    "gradient_cosine": "cosine of W's change with −∂loss/∂W",
    "stationarity_cosine": "stationarity: cosine of W Vtᵀ with V Wtᵀ",
    "mirror_cosine": "mirror symmetry: cosine of V with Vtᵀ",
}
AT_MOST = 12  # the most panels


def data(run: RunFolder) -> dict[str, Any]:
    """The moments, neurons, matrices and curves of a run, ready for JSON."""
    motif, kept = run.circuit.motif, shown_moments(run.weights)
    sizes = {p.name: int(p.size) for p in motif.populations}
    shapes = {p.name: (sizes[p.post], sizes[p.pre]) for p in motif.projections}
    neurons = {name: indices.tolist() for name, indices in kept.neurons.items()}
    return {
        "epochs": [epoch if math.isfinite(epoch) else None for epoch in kept.epochs],
        "populations": {name: {"size": size, "kept": neurons[name]} for name, size in sizes.items() if name in neurons},
        "groups": [_group(run.circuit, kept, names) for names in groups(shapes, None)],
        "panels": panels(run.tables),
        "colours": colour_table(),
    }


def shown_moments(kept: WeightHistory) -> WeightHistory:
    """All moments, or if a page cannot hold them, evenly spaced ones, which include the first and the last."""
    n = max(2, int(BYTES // sum(array[0].nbytes for array in kept.weights.values())))
    last = len(kept.epochs) - 1
    return kept if n > last else kept.at(np.unique(np.round(np.linspace(0, last, n)).astype(int)).tolist())


def _group(circuit: Circuit, kept: WeightHistory, names: tuple[str, ...]) -> dict[str, Any]:
    """Matrices that are shown together, V1 beside Vt1^T or any other projection alone, in the orientation and the order
    of neurons of the first: that of the leading singular vectors of the last weights. They share one colour scale."""
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


def panels(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """A panel for each metric that changes over the run, with mean and sample standard deviation over replicas.

    For several circuits, each has a line, the mean over sites. For a single circuit, each site has a line.
    """
    tables = informative(tables)
    metrics = natural({metric for table in tables.values() for metric in table.metric})
    ordered = [*(m for m in FIRST if m in metrics), *(m for m in metrics if m not in FIRST)]
    return [panel for metric in ordered for panel in _panel(tables, metric)][:AT_MOST]


def _panel(tables: Mapping[str, pd.DataFrame], metric: str) -> Iterator[dict[str, Any]]:
    rows = {label: table[table.metric == metric] for label, table in tables.items()}
    for split in SPLITS:
        chosen = {label: part[part.split == split] for label, part in rows.items()}
        if any(part.epoch.nunique() > 1 for part in chosen.values()):
            lines = [_line(*line, k) for k, line in enumerate(_curves(chosen))]
            title = TITLES.get(metric, metric.replace("_", " "))
            title = title if split == "probe" else f"{split} {title}"
            lost = sum(n_runaways(part) for part in chosen.values())
            title = f"{title} ({lost} replicas ran away, left out)" if lost else title
            yield {
                "title": title,
                "axis": "cosine" if metric.endswith("cosine") else metric.replace("_", " "),
                "lines": [line for line in lines if line["epochs"]],
            }
            return


def _curves(chosen: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Series]]:
    for label, part in chosen.items():
        sites = natural(set(part.site))
        if len(chosen) == 1 and len(sites) > 1:
            yield from ((site, series(part[part.site == site])) for site in sites)
        else:
            yield label, series(mean_over_sites(part))


def _line(label: str, curve: Series, k: int) -> dict[str, Any]:
    colour, dashes = run_style(k)
    mean = curve.mean
    kept = pd.Series(mean).notna().to_numpy()
    return {
        "label": label,
        "colour": colour,
        "dashes": [] if isinstance(dashes, str) else dashes[1],
        "epochs": curve.epochs[kept].tolist(),
        "mean": mean[kept].tolist(),
        "spread": curve.spread[kept].tolist() if curve.values.shape[1] > 1 else None,
    }
