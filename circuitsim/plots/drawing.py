"""A motif as a picture."""

from __future__ import annotations

import os

from matplotlib.figure import Figure

from circuitsim.errors import ParameterError
from circuitsim.motif import Motif
from circuitsim.plots.diagram.paint import paint
from circuitsim.plots.diagram.routes import routes
from circuitsim.plots.diagram.sheet import sheet
from circuitsim.plots.diagram.wires import wires
from circuitsim.plots.picture import check_path, save


def draw(
    motif: Motif,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    flow: str | None = None,
) -> Figure:
    """The circuit: streams side by side, partners opposite each other, every projection with its name.

    Colour and head say the kind of projection (see `circuitsim.plots.style`), the line says whether it is plastic
    (solid), fixed (thin, dashed) or tied to another (dotted, "= source"). A legend explains what is there. Text is
    11 points or more at the figure's own size, which grows with the motif.

    Args:
        motif: any sound motif.
        path: where to save the picture (.png, .svg or .pdf), or None.
        title: by default the motif's name.
        flow: "up" (streams are columns) or "right" (streams are rows, for deep motifs); None chooses.
    Returns:
        The figure.
    Raises:
        MotifError: the motif has faults.
        ParameterError: unknown `flow`, or a suffix that cannot be written.
    Example:
        >>> from circuitsim.plots import draw
        >>> from motifs import sal
        >>> figure = draw(sal([64, 32, 10]))
    """
    if flow not in (None, "up", "right"):
        raise ParameterError(f"flow must be 'up', 'right' or None (got {flow!r})")
    check_path(path)
    motif.validate()
    layout = sheet(motif, flow)
    found = routes(wires(motif, layout), layout.obstacles)
    figure = paint(motif, layout, [route.curve for route in found], motif.name if title is None else title)
    save(figure, path)
    return figure
