"""What every picture shares: the colour of each kind of projection, the line of each plasticity, colours of runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from circuitsim.errors import ParameterError
from circuitsim.motif import Motif, Projection

Kind = Literal["W", "Wt", "V", "Vt"]
Plasticity = Literal["plastic", "fixed", "derived"]
Dashes = Literal["-"] | tuple[float, tuple[float, ...]]  # as matplotlib takes them

# From the palette of Okabe & Ito (2008), safe for colour-blind readers; chosen so that a grey copy also tells them
# apart (luma 0, 87, 119 and 158 of 255).
KIND_COLOURS: dict[Kind, str] = {"W": "#000000", "Wt": "#0072B2", "V": "#D55E00", "Vt": "#56B4E9"}

KIND_MEANINGS: dict[Kind, str] = {
    "W": "onto somata, ascending stream",
    "Wt": "onto somata, descending stream",
    "V": "onto dendrites, ascending stream",
    "Vt": "onto dendrites, descending stream",
}


@dataclass(frozen=True)
class LineStyle:
    """How a projection is drawn.

    Args:
        width: in points.
        dashes: lengths on and off in points, or () for a solid line.
        meaning: for the legend.
    """

    width: float
    dashes: tuple[float, ...]
    meaning: str

    @property
    def linestyle(self) -> Dashes:
        """As matplotlib takes it."""
        return (0.0, self.dashes) if self.dashes else "-"


LINES: dict[Plasticity, LineStyle] = {
    "plastic": LineStyle(3.0, (), "plastic"),
    "fixed": LineStyle(1.5, (6.0, 3.0), "fixed"),
    "derived": LineStyle(2.2, (1.6, 2.4), "tied to another projection (=)"),
}

# Okabe & Ito again, in an order that puts the most different first.
RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
RUN_LINES: tuple[Dashes, ...] = (
    "-", (0.0, (6.0, 2.0)), (0.0, (1.5, 1.5)), (0.0, (7.0, 2.0, 1.5, 2.0)), (0.0, (3.0, 1.0)),
)  # fmt: skip


def kind_of(motif: Motif, projection: str) -> Kind:
    """Which of the four kinds a projection is: the compartment it ends on, and the stream of that neuron.

    In a two-stream circuit W and Wt run within their stream and V and Vt between the streams; anything else takes
    the kind of what it ends on, so that a lateral dendritic projection of the ascending stream counts as V.

    Args:
        motif: the declaration.
        projection: its name.
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
    if found.target == "soma":
        return "W" if ascending else "Wt"
    return "V" if ascending else "Vt"


def kind_of_name(name: str) -> Kind | None:
    """The kind that a name of the paper's form says, such as "Vt1" or "Vt1ᵀ"; None for other names."""
    found = re.fullmatch(r"(Wt|W|Vt|V)\d*ᵀ?", name)
    return next((kind for kind in KIND_COLOURS if found and found[1] == kind), None)


def plasticity_of(projection: Projection) -> Plasticity:
    """Whether a step changes it, nothing does, or another projection's weight is its own."""
    if projection.weight is not None:
        return "derived"
    return "plastic" if projection.is_plastic else "fixed"


def luma(colour: str) -> float:
    """Brightness of a "#RRGGBB" colour in a grey copy, in [0, 255] (ITU-R BT.601)."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
