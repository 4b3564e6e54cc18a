"""The style that all figures share: of kinds of projections, of plasticity, of runs, and of axes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator

from circuitsim.errors import ParameterError
from circuitsim.motif import Motif, Projection

Kind = Literal["W", "Wt", "V", "Vt"]
Plasticity = Literal["plastic", "fixed", "derived"]
Dashes = Literal["-"] | tuple[float, tuple[float, ...]]  # a matplotlib line style

# From the palette of Okabe & Ito (2008), which is safe for colour-blind readers. The four also differ in a grey copy
# (luma 0, 87, 119 and 158 of 255).
KIND_COLOURS: dict[Kind, str] = {"W": "#000000", "Wt": "#0072B2", "V": "#D55E00", "Vt": "#56B4E9"}

KIND_MEANINGS: dict[Kind, str] = {
    "W": "onto somata, ascending stream",
    "Wt": "onto somata, descending stream",
    "V": "onto dendrites, ascending stream",
    "Vt": "onto dendrites, descending stream",
}

# Colours of boxes, which also differ in a grey copy.
FILLS = {"ascending": "#F6F6F6", "descending": "#D6E8F7", "error": "#F9D56B"}


@dataclass(frozen=True)
class LineStyle:
    """How a projection is drawn: its width, and its dashes, lengths on and off (none for a solid line), in points."""

    width: float
    dashes: tuple[float, ...]
    meaning: str

    @property
    def linestyle(self) -> Dashes:
        return (0.0, self.dashes) if self.dashes else "-"


LINES: dict[Plasticity, LineStyle] = {
    "plastic": LineStyle(3.0, (), "plastic"),
    "fixed": LineStyle(1.5, (6.0, 3.0), "fixed"),
    "derived": LineStyle(2.2, (1.6, 2.4), "tied to another projection (=)"),
}

# Sizes of text in the drawing of a motif.
NAME_POINTS, SMALL_POINTS, LABEL_POINTS = 15.0, 12.5, 13.0
SIMPLE_POINTS = 10.0  # of names in a simple drawing

# The colours of weights: red for positive, blue for negative and white for 0, safe for colour-blind readers. In a grey
# copy, darker means a larger absolute value.
COLOUR_MAP = "RdBu_r"

# The palette of Okabe & Ito (2008), with the most different colours first.
RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
RUN_LINES: tuple[Dashes, ...] = (
    "-", (0.0, (6.0, 2.0)), (0.0, (1.5, 1.5)), (0.0, (7.0, 2.0, 1.5, 2.0)), (0.0, (3.0, 1.0)),
)  # fmt: skip


def run_style(k: int) -> tuple[str, Dashes]:
    """Colour and line style of run number `k`. The two cycles have different lengths, so that 35 runs differ."""
    return RUN_COLOURS[k % len(RUN_COLOURS)], RUN_LINES[k % len(RUN_LINES)]


def plain_axes(axes: Axes, points: float, xlabel: str = "", ylabel: str = "", title: str = "") -> None:
    """Set two spines, a light grid, ticks of this size, labels one point larger, and a title two points larger."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E3E3E3", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=points)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    for text, write in ((xlabel, axes.set_xlabel), (ylabel, axes.set_ylabel)):
        if text:
            write(text, size=points + 1)
    if title:
        axes.set_title(title, size=points + 2, weight="bold", loc="left")


def kind_of(motif: Motif, projection: str) -> Kind:
    """Classify a projection as one of four kinds, by its compartment and the stream of its postsynaptic population.

    In a two-stream circuit, W and Wt run within a stream, and V and Vt between the streams. Any other projection has
    the kind that its target determines: a lateral dendritic projection of the ascending stream counts as V.

    Args:
        motif: the declaration.
        projection: the projection's name.
    Returns:
        "W", "Wt", "V" or "Vt".
    Raises:
        ParameterError: the motif has no such projection.
    Example:
        >>> from circuitsim.plots import kind_of
        >>> from motifs import sal
        >>> kind_of(sal([64, 32, 10]), "Vt1")
        'Vt'

    Source: Liao et al. (2024), arXiv 2412.20018, section 2.
    """
    found: Projection | None = next((p for p in motif.projections if p.name == projection), None)
    if found is None:
        known = ", ".join(p.name for p in motif.projections) or "none"
        raise ParameterError(f"motif {motif.name!r} has no projection {projection!r} (known: {known})")
    ascending = motif.population(found.post).stream == "ascending"
    if found.compartment == "soma":
        return "W" if ascending else "Wt"
    return "V" if ascending else "Vt"


def kind_of_name(name: str) -> Kind | None:
    """The kind of a projection named as in the paper, such as "Vt1" or "Vt1ᵀ"; None for other names."""
    found = re.fullmatch(r"(Wt|W|Vt|V)\d*ᵀ?", name)
    return next((kind for kind in KIND_COLOURS if found and found[1] == kind), None)


def plasticity_of(projection: Projection) -> Plasticity:
    """Whether a projection is plastic, fixed or derived from another one."""
    if projection.tied_to is not None:
        return "derived"
    return "plastic" if projection.is_plastic else "fixed"


def colour_table(n: int = 255) -> list[str]:
    """The colours from the most negative to the most positive weight, as "#rrggbb"; the middle one of an odd number `n`
    is that of 0."""
    return [to_hex(colour) for colour in matplotlib.colormaps[COLOUR_MAP](np.linspace(0, 1, n))]
