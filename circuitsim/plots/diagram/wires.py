"""What is to be joined, and by which sides of the boxes."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif import Motif, Projection
from circuitsim.plots.diagram.geometry import Array, Box
from circuitsim.plots.diagram.sheet import Sheet

Sides = tuple[Array, Array]  # where a wire leaves its first box and enters its second: unit vectors pointing outwards


@dataclass(frozen=True, eq=False)
class Wire:
    """A line between two boxes.

    Args:
        name: of the projection, or of the objective's half.
        pre, post: the boxes; equal for a projection of a population onto itself.
        options: pairs of sides, the preferred first.
        is_self: whether both ends are one population.
    """

    name: str
    pre: Box
    post: Box
    options: tuple[Sides, ...]
    is_self: bool = False


def wires(motif: Motif, sheet: Sheet) -> list[Wire]:
    """One wire for each projection, two for each objective (output to loss, loss to error)."""
    found = [
        Wire(p.name, sheet.boxes[p.pre], sheet.boxes[p.post], _options(motif, sheet, p), p.pre == p.post)
        for p in motif.projections
    ]
    for k, (objective, badge) in enumerate(zip(motif.objectives, sheet.badges, strict=True)):
        output, error = sheet.boxes[objective.output], sheet.boxes[objective.error]
        to_error = sheet.across if (error.centre - output.centre) @ sheet.across > 0 else -sheet.across
        found.append(Wire(f"{k}:output", output, badge, ((sheet.forward, -to_error),)))
        found.append(Wire(f"{k}:error", badge, error, ((to_error, sheet.forward),)))
    return found


def _options(motif: Motif, sheet: Sheet, p: Projection) -> tuple[Sides, ...]:
    """Within a stream from front to back or around the outside; between the streams through the middle."""
    pre, post = motif.population(p.pre), motif.population(p.post)
    inner_pre = sheet.across if pre.stream == "ascending" else -sheet.across
    inner = sheet.across if post.stream == "ascending" else -sheet.across
    if p.pre in sheet.biases:
        return ((inner, -inner), (-inner, -inner))
    if p.pre == p.post:
        return ((-inner, -inner),)
    if pre.stream != post.stream:
        return ((inner_pre, inner),)
    apart = sheet.boxes[p.post].centre - sheet.boxes[p.pre].centre
    ahead, aside = float(apart @ sheet.forward), float(apart @ sheet.across)
    facing = sheet.across if aside > 0 else -sheet.across
    ends_meet = ((facing, -facing),) if abs(aside) > 1e-9 else ()
    around: tuple[Sides, ...] = ((-inner, -inner), (inner, inner))
    if abs(ahead) < 1e-9:
        return (*ends_meet, (sheet.forward, sheet.forward), (-sheet.forward, -sheet.forward))
    if p.target == "dendrite":
        return (*ends_meet, *around)
    front = sheet.forward if ahead > 0 else -sheet.forward
    return ((front, -front), *around)
