"""The drawing of a motif."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch, PathPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from circuitsim.errors import ParameterError, check_kind
from circuitsim.motif import Motif
from circuitsim.motif.wiring import error_populations
from circuitsim.plots import style
from circuitsim.plots.motif_captions import loss_text, population_text, projection_text, step_text
from circuitsim.plots.motif_layout import BIAS_SIZE, Array, Layout, arrange, middle
from circuitsim.plots.motif_wires import label_boxes, loss_wires, path_of, sampled, shortened, unit, wires
from circuitsim.plots.picture import Picture, check_path, save, text_size
from circuitsim.plots.style import KIND_COLOURS, Kind, kind_of, plasticity_of

MANY_POPULATIONS, MANY_PROJECTIONS = 50, 80  # beyond which a drawing is simple
INK, GREY = "#222222", "#777777"
MARGIN, LEGEND_ROW, TITLE_POINTS = 0.3, 0.37, 19.0
DOT = 0.09 * np.array([[np.cos(t) - 1.15, np.sin(t)] for t in np.linspace(0, 2 * np.pi, 36, endpoint=False)])
# Outlines of heads in inches, along and across the wire, from the tip: arrows at somata, dots at dendrites.
HEADS: dict[Kind, Array] = {
    "W": np.array([[0, 0], [-0.23, 0.115], [-0.23, -0.115]]),
    "Wt": np.array([[0, 0], [-0.26, 0.115], [-0.17, 0], [-0.26, -0.115]]),
    "V": DOT,
    "Vt": DOT,
}
SMALL = 0.4  # heads of a simple drawing


def draw(
    motif: Motif,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    flow: str | None = None,
) -> Figure:
    """Draw a motif: streams side by side, partners opposite each other, every projection with its name.

    Colour and head show the kind of a projection (see `circuitsim.plots.kind_of`): arrows end at somata, dots at
    dendrites. The line shows whether it is plastic (solid), fixed (thin and dashed) or tied to another (dotted). A
    legend explains what is there, and lists the phases of a step where a motif has several.

    The figure grows with the motif. With more than 50 populations or 80 projections it is simpler, and says so: the
    names of projections and the sizes and activations of populations are left out. Text is set in matplotlib's font;
    for names in other scripts, set ``matplotlib.rcParams["font.family"]`` to a font that has them.

    Args:
        motif: a valid motif.
        path: where to save the figure (.png, .svg or .pdf), or None.
        title: by default the motif's name.
        flow: "up" (streams are columns) or "right" (streams are rows, for deep motifs), or None to choose by depth.
    Returns:
        The figure.
    Raises:
        MotifError: the motif has faults.
        ParameterError: `flow` or the path's suffix is unknown.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> figure = cs.draw(sal([64, 32, 10]))
    """
    check_kind("draw", motif, Motif, "that of a circuit is circuit.motif")
    if flow not in (None, "up", "right"):
        raise ParameterError(f"flow must be 'up', 'right' or None (got {flow!r})")
    check_path(path)
    motif.validate()
    simple = len(motif.populations) > MANY_POPULATIONS or len(motif.projections) > MANY_PROJECTIONS
    layout = arrange(motif, flow, simple)
    figure = Picture(1, 1)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    drawn = [*layout.boxes.values(), *layout.losses]
    drawn += _draw_loss_wires(axes, motif, layout)
    drawn += (_draw_simple_wires if simple else _draw_wires)(axes, motif, layout)
    _draw_boxes(axes, motif, layout, simple)
    left, bottom, right, top = Bbox.union(drawn).extents
    if layout.forward[1]:
        _draw_legend(axes, motif, layout, right + 0.5, top, side_by_side=False)
    else:
        _draw_legend(axes, motif, layout, left, bottom - 0.4, side_by_side=True)
    if simple:
        note = (
            f"drawn simply: {len(motif.populations):,} populations, {len(motif.projections):,} projections; "
            "names of projections, sizes and activations are left out"
        )
        _text(axes, np.array([left, top := top + 0.3]), note, style.SMALL_POINTS, ha="left", va="bottom", gid="note")
    heading = motif.name if title is None else title
    above = np.array([left, top + 0.35])
    _text(axes, above, heading, TITLE_POINTS, bold=True, ha="left", va="bottom", gid="title")
    _fit(figure, axes, drawn)
    return save(figure, path)


def _draw_loss_wires(axes: Axes, motif: Motif, layout: Layout) -> list[Bbox]:
    """Draw grey arrows from output to loss to error, and return the areas that they cover."""
    curves = [path_of(points) for points in loss_wires(motif, layout)]
    for path in curves:
        arrow = FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=14, linewidth=1.6, color=GREY)
        axes.add_patch(arrow).set(gid="loss wire", zorder=1.5)
    return [path.get_extents() for path in curves]


def _draw_wires(axes: Axes, motif: Motif, layout: Layout) -> list[Bbox]:
    """Draw every projection with its label, and return the areas that they cover."""
    curves = wires(motif, layout)
    texts = [projection_text(p, narrow=not layout.forward[1]) for p in motif.projections]
    labels = label_boxes(texts, [*curves, *loss_wires(motif, layout)], layout)
    for p, points, text, box in zip(motif.projections, curves, texts, labels, strict=True):
        _wire(axes, points, kind_of(motif, p.name), style.LINES[plasticity_of(p)], p.name)
        label = _text(axes, middle(box), text, style.LABEL_POINTS, bold=True, gid=f"label:{p.name}")
        label.set(bbox={"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.92})
    return [*labels, *(path_of(points).get_extents() for points in curves)]


def _wire(axes: Axes, points: Array, kind: Kind, line: style.LineStyle, name: str) -> None:
    """Draw a projection. Its kind determines colour and head, its plasticity the line; a white edge separates it from
    those that it crosses."""
    shaft = path_of(shortened(points, 0.15))
    white = PathPatch(shaft, fill=False, edgecolor="white", linewidth=line.width + 3.5, capstyle="butt")
    axes.add_patch(white).set_zorder(2)  # the zorder of all wires, so that it covers those drawn before
    shown = PathPatch(shaft, fill=False, edgecolor=KIND_COLOURS[kind], linewidth=line.width, linestyle=line.linestyle)
    axes.add_patch(shown).set(gid=f"projection:{name}", capstyle="butt", zorder=2)
    _heads(axes, kind, points[-1:], unit(points[-1:] - points[-2:-1])).set_gid(f"head:{name}")


def _heads(axes: Axes, kind: Kind, tips: Array, ahead: Array, scale: float = 1.0) -> PolyCollection:
    """Draw the heads of projections of one kind; tips and directions (unit vectors) have shape ``[projection, 2]``."""
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    along, aside = scale * HEADS[kind].T[:, None, :, None]
    outlines = tips[:, None] + along * ahead[:, None] + aside * across[:, None]
    face = "white" if kind == "Vt" else KIND_COLOURS[kind]
    edge = 2.2 * scale if kind in ("V", "Vt") else 0.0
    heads = PolyCollection(list(outlines), facecolors=face, edgecolors=KIND_COLOURS[kind], linewidths=edge, zorder=4)
    axes.add_collection(heads, autolim=False)
    return heads


def _draw_simple_wires(axes: Axes, motif: Motif, layout: Layout) -> list[Bbox]:
    """Draw all projections as thin arcs with small heads, one collection for each kind and plasticity."""
    groups: dict[tuple[Kind, style.Plasticity], list[Array]] = defaultdict(list)
    for p, points in zip(motif.projections, wires(motif, layout, simple=True), strict=True):
        groups[kind_of(motif, p.name), plasticity_of(p)].append(points)
    taken = []
    for (kind, plasticity), curves in groups.items():
        line, arcs = style.LINES[plasticity], [sampled(points, 16) for points in curves]
        lines = LineCollection(arcs, colors=KIND_COLOURS[kind], linewidths=line.width / 3, linestyles=[line.linestyle])
        axes.add_collection(lines, autolim=False).set(gid=f"projections:{kind}:{plasticity}", alpha=0.6, zorder=2)
        tips, before = (np.array([points[k] for points in curves]) for k in (-1, -2))
        _heads(axes, kind, tips, unit(tips - before), SMALL).set_gid(f"heads:{kind}:{plasticity}")
        taken.append(Bbox([np.min(arcs, (0, 1)), np.max(arcs, (0, 1))]))
    return taken


def _draw_boxes(axes: Axes, motif: Motif, layout: Layout, simple: bool) -> None:
    """Draw populations with name, size and activation, bias units, and losses.

    Names are artists' gids, which become ids in an SVG.
    """
    for population in motif.populations:
        box, gid = layout.boxes[population.name], f"population:{population.name}"
        if population.name in layout.biases:
            _bias(axes, middle(box)).set_gid(gid)
            continue
        _rounded(
            axes, box, style.FILLS["error" if population.name in error_populations(motif) else population.stream]
        ).set_gid(gid)
        name, below = population_text(motif, population)
        if simple:
            _text(axes, middle(box), name, style.SIMPLE_POINTS, bold=True)
            continue
        upper, lower = text_size(name, style.NAME_POINTS, True)[1], text_size(below, style.SMALL_POINTS)[1]
        _text(axes, middle(box) + np.array([0.0, (lower + 0.06) / 2]), name, style.NAME_POINTS, bold=True)
        _text(axes, middle(box) - np.array([0.0, (upper + 0.06) / 2]), below, style.SMALL_POINTS)
    for k, (objective, box) in enumerate(zip(motif.objectives, layout.losses, strict=True)):
        _rounded(axes, box, style.FILLS["error"]).set_gid(f"objective:{k}")
        _text(axes, middle(box), loss_text(objective), style.SMALL_POINTS)


def _draw_legend(axes: Axes, motif: Motif, layout: Layout, x: float, y: float, side_by_side: bool) -> None:
    """Explain the symbols that occur in the drawing, and the phases of a step; (x, y) is the upper left corner."""
    kinds = {kind_of(motif, p.name) for p in motif.projections}
    states = {plasticity_of(p) for p in motif.projections}
    plain = [p for p in motif.populations if p.name not in error_populations(motif) | layout.biases]
    streams = {p.stream for p in plain}
    groups: list[list[tuple[str, str]]] = [
        [(kind, f"{kind}: {meaning}") for kind, meaning in style.KIND_MEANINGS.items() if kind in kinds],
        [(state, line.meaning) for state, line in style.LINES.items() if state in states],
        [(stream, f"{stream} population") for stream in ("ascending", "descending") if stream in streams],
    ]
    groups[2] += [("error", "error = −∂loss/∂output")] if motif.objectives else []
    groups[2] += [("bias", "bias unit")] if layout.biases else []
    for group in filter(None, groups):
        for k, (what, meaning) in enumerate(group):
            at = np.array([x, y - (k + 0.5) * LEGEND_ROW])
            _sample(axes, what, at + np.array([0.4, 0.0]))
            _text(axes, at + np.array([0.95, 0.0]), meaning, style.SMALL_POINTS, ha="left", gid="legend")
        if side_by_side:
            x += 1.55 + max(text_size(meaning, style.SMALL_POINTS)[0] for _, meaning in group)
        else:
            y -= len(group) * LEGEND_ROW + 0.18
    _text(axes, np.array([x, y - 0.1]), step_text(motif), style.SMALL_POINTS, ha="left", va="top", gid="step")


def _sample(axes: Axes, what: str, at: Array) -> None:
    """Draw the legend's sample of a kind of projection, a plasticity, or a sort of population."""
    stretch = at + np.array([[-0.4, 0.0], [0.0, 0.0], [0.4, 0.0]])
    if what in KIND_COLOURS:
        _wire(axes, stretch, what, style.LINES["plastic"], f"legend {what}")
    elif what in style.LINES:
        line = style.LINES[what]
        axes.plot(*stretch.T, color="#666666", linewidth=line.width, linestyle=line.linestyle)
    elif what in style.FILLS:
        _rounded(axes, Bbox.from_bounds(at[0] - 0.22, at[1] - 0.12, 0.44, 0.24), style.FILLS[what])
    else:
        _bias(axes, at)


def _rounded(axes: Axes, box: Bbox, fill: str) -> Patch:
    shape = "round,pad=0,rounding_size=0.08"
    patch = FancyBboxPatch(box.p0, *box.size, boxstyle=shape, facecolor=fill, edgecolor=INK, linewidth=1.4, zorder=3)
    return axes.add_patch(patch)


def _bias(axes: Axes, at: Array) -> Patch:
    _text(axes, at, "1", style.SMALL_POINTS)
    circle = Circle((at[0], at[1]), BIAS_SIZE / 2, facecolor="white", edgecolor=INK, linewidth=1.4, zorder=3)
    return axes.add_patch(circle)


def _text(axes: Axes, at: Array, text: str, points: float, *, bold: bool = False, **options: Any) -> Text:
    options = {"ha": "center", "va": "center", "linespacing": 1.15, "parse_math": False, **options}
    weight = "bold" if bold else "normal"
    return axes.text(at[0], at[1], text, size=points, weight=weight, color=INK, zorder=6, **options)


def _fit(figure: Figure, axes: Axes, drawn: list[Bbox]) -> None:
    """Make the figure just large enough for all boxes and all texts, one unit of the axes an inch."""
    for text in [text for text in axes.texts if text.get_text()]:
        width, height = text_size(text.get_text(), text.get_fontsize(), text.get_fontweight() == "bold")
        x, y = text.get_position()
        left = {"left": 0.0, "center": 0.5}[text.get_horizontalalignment()] * width
        below = {"bottom": 0.0, "center": 0.5, "top": 1.0}[text.get_verticalalignment()] * height
        drawn.append(Bbox.from_bounds(x - left, y - below, width, height))
    page = Bbox.union(drawn).padded(MARGIN)
    figure.set_size_inches(page.width, page.height)
    axes.set(xlim=page.intervalx, ylim=page.intervaly)
