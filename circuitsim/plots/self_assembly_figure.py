"""The self-assembly figure: cosines and accuracy of several runs, including controls."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from circuitsim.history import History
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.series import band, check_runs, mean_over_sites, natural, run_label, series
from circuitsim.plots.style import plain_axes, run_style

POINTS = 13.0
# In inches: the width of a slide, the height of a panel, margins, a line of the legend, gaps, headings and titles.
WIDTH, PANEL_HEIGHT = 13.33, 2.1
LEFT, RIGHT, TOP, LINE, BOTTOM, BETWEEN, HEADING, ABOVE = 0.9, 0.25, 0.35, 0.3, 0.75, 0.95, 0.4, 0.62
AT_MOST = 4  # panels in a row


def self_assembly(
    runs: Mapping[str, History], path: str | os.PathLike[str] | None = None, *, title: str | None = None
) -> Figure:
    """Plot the evidence for self-assembly: cosines with the true gradient should rise from 0, and controls stay at 0.

    The first rows show, with a panel per hidden layer, the cosine between the data term of each W's change and minus
    the gradient of the loss. The last row shows stationarity (W Vt^T against V Wt^T), mirror symmetry (V against Vt^T)
    and validation accuracy. Lines are means over replicas, bands one sample standard deviation; NaN leaves a gap.

    Args:
        runs: label -> history with the rows of ``cs.alignment`` as a probe; missing rows appear as "not measured".
    Raises:
        ParameterError: `runs` is empty, or a run is not a History.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.plots import self_assembly
        >>> from motifs import sal
        >>> data, circuit = cs.load_dataset("digits"), cs.compile(sal([64, 16, 10]), replicas=2)
        >>> probes = {"alignment": lambda c: cs.alignment(c, data.test.x, data.test.target)}
        >>> history = cs.fit(circuit, data, epochs=2, probes=probes, progress=False)
        >>> figure = self_assembly({"SAL": history})

    Source: Liao et al. (2024), arXiv 2412.20018: Theorem 1 (gradient, stationarity), Lemma 1 (mirror).
    """
    check_path(path)
    check_runs(runs)
    tables = informative({run_label(name, history): history.to_pandas() for name, history in runs.items()})
    rows = _rows(tables)
    above = [ABOVE if row[0].note else ABOVE - 0.25 for row in rows]  # from a row's upper edge to its axes, in inches
    above[0] += HEADING
    handles = _handles(list(tables))
    n_lines = math.ceil(sum(text_size(str(h.get_label()), POINTS)[0] + 0.95 for h in handles) / (WIDTH - LEFT))
    head = TOP + n_lines * LINE + (0.45 if title else 0.0)
    height = head + sum(distance + PANEL_HEIGHT + BOTTOM for distance in above)
    figure = Picture(WIDTH, height)
    top, last = head, max((float(table["epoch"].max()) for table in tables.values() if len(table)), default=0.0)
    heading = "Learning signal vs. true gradient: cosine of each W's change with −∂loss/∂W"
    figure.headline(LEFT, top, heading, POINTS + 1)
    for row, distance in zip(rows, above, strict=True):
        top += distance
        width = (WIDTH - LEFT - RIGHT - BETWEEN * (len(row) - 1)) / len(row)
        for c, panel in enumerate(row):
            axes = figure.panel(LEFT + c * (width + BETWEEN), top, width, PANEL_HEIGHT)
            _draw_panel(axes, panel, tables)
            if axes.has_data() and last > 0:
                axes.set_xlim(-0.02 * last, 1.02 * last)
        top += PANEL_HEIGHT + BOTTOM
    top = 1 - 0.15 / height
    if title:
        figure.headline(LEFT, 0.15, title, POINTS + 5)
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=((LEFT - 0.1) / WIDTH, top - (0.45 / height if title else 0)),
        ncols=math.ceil(len(handles) / n_lines), frameon=False, fontsize=POINTS, handlelength=3.0, columnspacing=1.6,
        borderaxespad=0.0,
    )  # fmt: skip
    return save(figure, path)


@dataclass(frozen=True)
class Panel:
    """The rows of a history in one pair of axes. Of several sites, each is a thin line, and their mean a thick one."""

    metric: str
    split: str
    sites: tuple[str, ...] | None  # None for all
    title: str
    note: str = ""  # a smaller line below the title
    cosine: bool = True  # whether the vertical axis shows a cosine


def _rows(tables: Mapping[str, pd.DataFrame]) -> list[list[Panel]]:
    """One panel per hidden layer, followed by a row of three panels that summarise the circuit."""
    sites = {site for table in tables.values() for site in table["site"][table["metric"] == "gradient_cosine"]}
    layers = [Panel("gradient_cosine", "probe", (site,), site) for site in natural(sites)]
    layers = layers or [Panel("gradient_cosine", "probe", (), "")]
    n = math.ceil(len(layers) / math.ceil(len(layers) / AT_MOST))  # panels per row, so that rows are about equal
    last = [
        Panel("stationarity_cosine", "probe", None, "Stationarity: W Vtᵀ vs. V Wtᵀ", "1 at rest, by Theorem 1"),
        Panel("mirror_cosine", "probe", None, "Mirror symmetry: V vs. Vtᵀ", "decay alone brings it about (Lemma 1)"),
        Panel("accuracy", "validation", None, "Validation accuracy", "all panels: mean ± s.d. of replicas", False),
    ]
    return [*(layers[k : k + n] for k in range(0, len(layers), n)), last]


def informative(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables without the gradient cosines that say nothing.

    The last projection of a run is left out if its cosine is always 1, in this run or another of that depth: the output
    receives the error through a fixed identity, so that its cosine is 1 whether or not anything assembles. If there are
    projections named W and a number, only these are kept, without biases.
    """
    sites: dict[str, list[str]] = {}
    fixed: set[str] = set()
    for label, table in tables.items():
        cosine = table[table["metric"] == "gradient_cosine"].groupby("site")["value"].min()
        found = natural(set(cosine.index))
        sites[label] = [site for site in found if re.fullmatch(r"W\d+", site)] or found
        if len(sites[label]) > 1 and cosine[last := sites[label][-1]] > 0.999:
            fixed.add(last)
    kept = {label: found[:-1] if fixed.intersection(found[-1:]) else found for label, found in sites.items()}
    return {
        label: table[(table["metric"] != "gradient_cosine") | table["site"].isin(kept[label])]
        for label, table in tables.items()
    }


def _draw_panel(axes: Axes, panel: Panel, tables: Mapping[str, pd.DataFrame]) -> None:
    plain_axes(axes, POINTS - 2, "epochs", "cosine" if panel.cosine else "accuracy")
    for k, (label, table) in enumerate(tables.items()):
        rows = table[(table["metric"] == panel.metric) & (table["split"] == panel.split)]
        rows = rows if panel.sites is None else rows[rows["site"].isin(panel.sites)]
        if rows["value"].notna().any():
            _draw_run(axes, rows, label, k)
    if not axes.has_data():
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, size=POINTS, color="#777777", ha="center")
    elif panel.cosine:
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, -0.12), max(high, 1.05))
        axes.yaxis.set_major_locator(MultipleLocator(0.2 if low > -0.7 else 0.5))
        axes.axhline(0, color="#777777", linewidth=1.0, zorder=1, gid="zero")
    axes.set_title(panel.title, size=POINTS, weight="bold", loc="left", pad=22 if panel.note else 6)
    axes.text(0.0, 1.0, f"{panel.note}\n", transform=axes.transAxes, size=POINTS - 2, color="#555555", va="center")


def _draw_run(axes: Axes, rows: pd.DataFrame, label: str, k: int) -> None:
    sites = natural(set(rows["site"]))
    for site in sites if len(sites) > 1 else []:
        one = series(rows[rows["site"] == site])
        axes.plot(one.epochs, one.mean, color=run_style(k)[0], linewidth=0.8, alpha=0.55, gid=f"site:{label}:{site}")
    band(axes, series(mean_over_sites(rows)), label, k)


def _handles(labels: list[str]) -> list[Line2D]:
    """The handles of the legend, which all panels share."""
    styles = [(label, *run_style(k)) for k, label in enumerate(labels)]
    handles = [Line2D([], [], color=c, linestyle=line, linewidth=2.8, label=label) for label, c, line in styles]
    return [*handles, Line2D([], [], color="#777777", linewidth=0.8, label="thin: single layers")]
