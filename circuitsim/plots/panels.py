"""The panels of the self-assembly figure: what is measured, and how it is called."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from circuitsim.plots.series import natural

AT_MOST = 4  # in a row


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Args:
        metric, split: of the history's rows to show.
        sites: None for all; of several the mean is drawn, and each as a thin line.
        title: in words; note: a smaller line below it.
        cosine: whether the axis is that of a cosine.
    """

    metric: str
    split: str
    sites: tuple[str, ...] | None
    title: str
    note: str = ""
    cosine: bool = True


@dataclass(frozen=True)
class PanelRow:
    """Panels side by side, under a heading or none."""

    panels: tuple[Panel, ...]
    heading: str = ""


def panel_rows(tables: Mapping[str, pd.DataFrame]) -> list[PanelRow]:
    """A panel per hidden layer, then the three that sum up.

    Args:
        tables: label -> table of a history.
    """
    heading = "Learning signal vs. true gradient: cosine of each W's change with −∂loss/∂W"
    sites = hidden_sites(tables)
    layers = [Panel("gradient_cosine", "probe", (site,), site) for site in sites]
    layers = layers or [Panel("gradient_cosine", "probe", (), "")]
    n = math.ceil(len(layers) / math.ceil(len(layers) / AT_MOST))  # in each row, about as many in the last
    rows = [PanelRow(tuple(layers[k : k + n]), heading if k == 0 else "") for k in range(0, len(layers), n)]
    last = (
        Panel("stationarity_cosine", "probe", None, "Stationarity: W Vtᵀ vs. V Wtᵀ", "1 at rest, by Theorem 1"),
        Panel("mirror_cosine", "probe", None, "Mirror symmetry: V vs. Vtᵀ", "decay alone brings it about (Lemma 1)"),
        Panel("accuracy", "validation", None, "Validation accuracy", "all panels: mean ± s.d. of replicas", False),
    )
    return [*rows, PanelRow(last)]


def hidden_sites(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The projections whose gradient cosine tells something: not the last, if it is 1 from start to end in any run.

    Onto the output the error comes straight through a fixed identity, so that cosine is 1 whatever assembles.
    Projections called W and a number are taken alone (biases are left out) where there are any.
    """
    rows = [table[table["metric"] == "gradient_cosine"] for table in tables.values()]
    sites = natural({site for table in rows for site in table["site"]})
    sites = [site for site in sites if re.fullmatch(r"W\d+", site)] or sites
    if len(sites) > 1:
        last = [table[table["site"] == sites[-1]]["value"] for table in rows]
        if any(len(values) and bool((values > 0.999).all()) for values in last):
            return sites[:-1]
    return sites
