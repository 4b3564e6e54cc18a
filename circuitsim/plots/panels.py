"""The panels of the self-assembly figure, with their metrics and titles."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from circuitsim.plots.series import natural

AT_MOST = 4  # panels in a row


@dataclass(frozen=True)
class Panel:
    """The content of one pair of axes.

    Args:
        metric, split: the rows of the history to show.
        sites: the sites to show, or None for all. For several sites, their mean is drawn, and each as a thin line.
        note: a smaller line below the title.
        cosine: whether the vertical axis shows a cosine.
    """

    metric: str
    split: str
    sites: tuple[str, ...] | None
    title: str
    note: str = ""
    cosine: bool = True


@dataclass(frozen=True)
class PanelRow:
    """Panels side by side, under an optional heading."""

    panels: tuple[Panel, ...]
    heading: str = ""


def panel_rows(tables: Mapping[str, pd.DataFrame]) -> list[PanelRow]:
    """One panel per hidden layer, followed by a row of three panels that summarise the circuit."""
    heading = "Learning signal vs. true gradient: cosine of each W's change with −∂loss/∂W"
    sites = hidden_sites(tables)
    layers = [Panel("gradient_cosine", "probe", (site,), site) for site in sites]
    layers = layers or [Panel("gradient_cosine", "probe", (), "")]
    n = math.ceil(len(layers) / math.ceil(len(layers) / AT_MOST))  # panels per row, so that rows are about equal
    rows = [PanelRow(tuple(layers[k : k + n]), heading if k == 0 else "") for k in range(0, len(layers), n)]
    last = (
        Panel("stationarity_cosine", "probe", None, "Stationarity: W Vtᵀ vs. V Wtᵀ", "1 at rest, by Theorem 1"),
        Panel("mirror_cosine", "probe", None, "Mirror symmetry: V vs. Vtᵀ", "decay alone brings it about (Lemma 1)"),
        Panel("accuracy", "validation", None, "Validation accuracy", "all panels: mean ± s.d. of replicas", False),
    )
    return [*rows, PanelRow(last)]


def hidden_sites(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The projections whose gradient cosine is informative.

    The last one is left out if its cosine is always 1 in a run: the output receives the error through a fixed identity,
    so that its cosine is 1 whether or not anything assembles.
    If there are projections named W and a number, only these are shown, without biases.
    """
    rows = [table[table["metric"] == "gradient_cosine"] for table in tables.values()]
    sites = natural({site for table in rows for site in table["site"]})
    sites = [site for site in sites if re.fullmatch(r"W\d+", site)] or sites
    if len(sites) > 1:
        last = [table[table["site"] == sites[-1]]["value"] for table in rows]
        if any(len(values) and bool((values > 0.999).all()) for values in last):
            return sites[:-1]
    return sites
