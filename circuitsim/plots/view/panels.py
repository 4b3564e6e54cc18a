"""The curves of a run in the form that the page reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from circuitsim.plots.band import run_style
from circuitsim.plots.panels import hidden_sites
from circuitsim.plots.series import Series, mean_over_sites, n_runaways, natural, series

FIRST = ("accuracy", "auc", "loss", "gradient_cosine", "stationarity_cosine", "mirror_cosine")  # shown first
SPLITS = ("validation", "online", "probe", "test", "train")  # the first with more than one moment is shown
TITLES = {
    "gradient_cosine": "cosine of W's change with −∂loss/∂W",
    "stationarity_cosine": "stationarity: cosine of W Vtᵀ with V Wtᵀ",
    "mirror_cosine": "mirror symmetry: cosine of V with Vtᵀ",
}
AT_MOST = 12  # the most panels


def panels(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """A panel for each metric that changes over the run, with mean and sample standard deviation over replicas.

    For several circuits, each has a line, the mean over sites. For a single circuit, each site has a line.
    """
    metrics = natural({metric for table in tables.values() for metric in table.metric})
    ordered = [*(m for m in FIRST if m in metrics), *(m for m in metrics if m not in FIRST)]
    return [panel for metric in ordered for panel in _panel(tables, metric)][:AT_MOST]


def _panel(tables: Mapping[str, pd.DataFrame], metric: str) -> Iterator[dict[str, Any]]:
    rows = {label: table[table.metric == metric] for label, table in tables.items()}
    if metric == "gradient_cosine":  # at the output it is 1, whether or not anything assembles
        rows = {label: part[part.site.isin(hidden_sites(tables))] for label, part in rows.items()}
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
