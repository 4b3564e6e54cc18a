"""The curves of a motif's projections, which are matplotlib arcs clipped at the boxes, and the positions of labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib.bezier import BezierSegment, inside_circle, split_bezier_intersecting_with_closedpath
from matplotlib.patches import ConnectionStyle
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from circuitsim.motif import Motif
from circuitsim.plots.motif_layout import Array, Layout, half_size, middle
from circuitsim.plots.picture import text_size
from circuitsim.plots.style import LABEL_POINTS

BENDS = np.arange(-8, 9) * 0.35  # possible distances of an arc from the straight line, in inches
SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)  # possible positions of a label along its wire
APART = 0.3  # inches between parallel wires
SIMPLE_BEND = 0.06  # bend of an arc in a simple drawing, relative to its length


def wires(motif: Motif, layout: Layout, simple: bool = False) -> list[Array]:
    """Each projection's curve from edge to edge, as the control points of a Bezier curve, shape ``[point, 2]``.

    Projections that join the same two populations run in parallel. In a simple drawing all arcs are bent equally; in
    others, an arc is bent only to avoid boxes.
    """
    pairs: dict[frozenset[str], list[str]] = defaultdict(list)
    for p in motif.projections:
        pairs[frozenset((p.pre, p.post))].append(p.name)
    rank = {name: k for k, name in enumerate(layout.boxes)}
    bends: dict[frozenset[str], float] = {}
    found = []
    for p in motif.projections:
        together = pairs[pair := frozenset((p.pre, p.post))]
        k = together.index(p.name)
        if p.pre == p.post:
            found.append(_loop(layout, p.pre, k))
            continue
        a, b = (layout.boxes[name] for name in sorted(pair, key=rank.__getitem__))
        run = middle(b) - middle(a)
        if pair not in bends:
            around = [*layout.boxes.values(), *layout.losses]
            bends[pair] = SIMPLE_BEND * float(np.hypot(*run)) if simple else _bend(a, b, around)
        run = unit(run)
        normal = np.array([run[1], -run[0]])
        room = min(float((2 * half_size(box) / np.maximum(abs(normal), 1e-9)).min()) for box in (a, b))
        aside = (k - (len(together) - 1) / 2) * min(APART, 0.8 * room / len(together)) * normal
        points = _arc(a, b, bends[pair]) + aside
        for end, box in ((0, a), (-1, b)):  # the ends of parallel wires, moved back into the boxes
            points[end] = middle(box) + _clip(points[end] - middle(box), half_size(box) - 0.08)
        start, stop = layout.boxes[p.pre], layout.boxes[p.post]
        found.append(_clipped(points if start is a else points[::-1], start, stop))
    return found


def loss_wires(motif: Motif, layout: Layout) -> list[Array]:
    """Two curves for each objective, in the form of `wires`: from output to loss and from loss to error."""
    found = []
    for objective, loss in zip(motif.objectives, layout.losses, strict=True):
        output, error = layout.boxes[objective.output], layout.boxes[objective.error]
        beside = middle(loss) @ layout.forward * layout.forward
        corners = [beside + middle(box) @ layout.across * layout.across for box in (output, error)]
        found.append(_clipped(np.array([middle(output), corners[0], middle(loss)]), output, loss))
        found.append(_clipped(np.array([middle(loss), corners[1], middle(error)]), loss, error))
    return found


def label_boxes(texts: Sequence[str], curves: Sequence[Array], layout: Layout) -> list[Bbox]:
    """The box of each text, on its curve or beside it, placed to cover no box, no other label and as little as possible
    of other curves. The first curves belong to the texts; any further ones are only avoided."""
    samples = np.array([sampled(points, 50) for points in curves]).reshape(-1, 2)
    owner = np.repeat(np.arange(len(curves)), 50)
    taken = [*layout.boxes.values(), *layout.losses]
    for k, text in enumerate(texts):
        half = text_size(text, LABEL_POINTS, True) / 2 + np.array([0.05, 0.01])
        curve, others = BezierSegment(curves[k]), samples[owner != k]
        candidates: list[tuple[float, Bbox]] = []
        for j, share in enumerate(SHARES):
            run = unit(curve(share + 0.01) - curve(share - 0.01))
            normal = np.array([-run[1], run[0]])
            for aside in (0, 1, -1):
                centre = curve(share) + aside * (abs(normal) @ half + 0.06) * normal
                box = Bbox([centre - half, centre + half])
                covered = (abs(others - centre) < half).all(1).sum()
                cost = 10.0 * box.count_overlaps(taken) + 0.08 * covered + 1.0 * abs(aside) + 0.01 * j
                candidates.append((cost, box))
        taken.append(min(candidates, key=lambda candidate: candidate[0])[1])
    return taken[len(taken) - len(texts) :]


def sampled(points: Array, n: int) -> Array:
    """Points along a Bezier curve, shape ``[n, 2]``."""
    return np.asarray(BezierSegment(points)(np.linspace(0, 1, n)))


def path_of(points: Array) -> Path:
    """A Bezier curve of degree 1 to 3 as a matplotlib path."""
    curve = {2: Path.LINETO, 3: Path.CURVE3, 4: Path.CURVE4}[len(points)]
    return Path(points, [Path.MOVETO, *[curve] * (len(points) - 1)])


def shortened(points: Array, length: float) -> Array:
    """A Bezier curve without its last part of the given length, which the head covers."""
    covered = inside_circle(points[-1, 0], points[-1, 1], length)
    rest, _ = split_bezier_intersecting_with_closedpath(points, covered, 0.002)
    return np.asarray(rest)


def unit(vectors: Array) -> Array:
    """The vectors, shape ``[..., 2]``, normalised to length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _bend(a: Bbox, b: Bbox, boxes: Sequence[Bbox]) -> float:
    """The bend that is the best compromise between a straight arc and one that crosses few other boxes."""
    others = [box.padded(0.18) for box in boxes if box is not a and box is not b]

    def cost(bend: float) -> float:
        path = path_of(_arc(a, b, bend))
        return abs(bend) + 4.0 * sum(path.intersects_bbox(box, filled=False) for box in others)

    return float(min(BENDS, key=cost))


def _arc(a: Bbox, b: Bbox, bend: float) -> Array:
    """An arc between points within the two boxes, each shifted from its box's centre towards the other box."""
    run = middle(b) - middle(a)
    (x, y), stop = middle(a) + _clip(run, half_size(a) / 2), middle(b) - _clip(run, half_size(b) / 2)
    rad = 2 * bend / max(float(np.hypot(*(stop - (x, y)))), 1e-9)
    return np.asarray(ConnectionStyle.Arc3(rad=rad).connect((x, y), (stop[0], stop[1])).vertices)


def _clip(vector: Array, most: Array) -> Array:
    return np.clip(vector, -most, most)


def _loop(layout: Layout, name: str, k: int) -> Array:
    """A loop from a population onto itself, on its outer side. Each further loop is larger."""
    box, outwards = layout.boxes[name], layout.outwards[name]
    edge = middle(box) + abs(outwards) @ half_size(box) * outwards
    half, out = (0.2 + 0.06 * k) * layout.forward, (0.85 + 0.5 * k) * outwards
    return np.array([edge - half, edge - 2 * half + out, edge + 2 * half + out, edge + half])


def _clipped(points: Array, pre: Bbox, post: Bbox) -> Array:
    """The part of a curve that lies between its two boxes."""
    _, points = split_bezier_intersecting_with_closedpath(points, lambda point: pre.contains(*point), 0.002)
    points, _ = split_bezier_intersecting_with_closedpath(points, lambda point: post.contains(*point), 0.002)
    return np.asarray(points)
