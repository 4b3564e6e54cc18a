"""Where populations and wires go."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.plots.diagram.captions import label
from circuitsim.plots.diagram.geometry import Box, along, bezier
from circuitsim.plots.diagram.labels import label_boxes
from circuitsim.plots.diagram.layers import is_bias, places
from circuitsim.plots.diagram.routes import crossings, routes
from circuitsim.plots.diagram.sheet import sheet
from circuitsim.plots.diagram.spacing import LABEL_POINTS
from circuitsim.plots.diagram.wires import wires
from motifs import sal
from tests.plots.figures import GALLERY, several_inputs
from tests.strategies import motifs


def overlap(a, b):
    """Whether two boxes share area, by their corners."""
    low = np.maximum([a.x - a.half_width, a.y - a.half_height], [b.x - b.half_width, b.y - b.half_height])
    high = np.minimum([a.x + a.half_width, a.y + a.half_height], [b.x + b.half_width, b.y + b.half_height])
    return bool((high > low).all())


def inside(box, curve):
    """How many points of a curve lie within a box."""
    return int(sum(abs(x - box.x) < box.half_width and abs(y - box.y) < box.half_height for x, y in curve))


def trespasses(motif, layout, found):
    """(wire, box) wherever a wire runs through a box that is not at its ends."""
    boxes = {id(box): name for name, box in layout.boxes.items()}
    return [
        (route.wire.name, boxes.get(id(box), "loss"))
        for route in found
        for box in layout.obstacles
        if box is not route.wire.pre and box is not route.wire.post and inside(box, route.curve)
    ]


@pytest.mark.parametrize("flow", ["up", "right"])
@pytest.mark.parametrize("name", GALLERY)
def test_no_two_boxes_overlap_and_streams_stand_apart(name, flow):
    motif = GALLERY[name]
    layout = sheet(motif, flow)
    assert set(layout.boxes) == {p.name for p in motif.populations}
    assert not [pair for pair in itertools.combinations(layout.obstacles, 2) if overlap(*pair)]
    column = {p.name: float(layout.boxes[p.name].centre @ layout.across) for p in motif.populations}
    streams = {p.name: p.stream for p in motif.populations}
    ascending = [column[name] for name in column if streams[name] == "ascending"]
    descending = [column[name] for name in column if streams[name] == "descending"]
    assert max(ascending) < 0 < min(descending)


@pytest.mark.parametrize("name", [name for name in GALLERY if name != "several inputs"])
def test_no_wire_runs_through_a_box_and_no_label_covers_anything(name):
    motif = GALLERY[name]
    layout = sheet(motif)
    found = routes(wires(motif, layout), layout.obstacles)
    assert trespasses(motif, layout, found) == []
    texts = [label(p, narrow=bool(layout.forward[0])) for p in motif.projections]
    names = label_boxes([route.curve for route in found], texts, LABEL_POINTS, layout.obstacles)
    assert not [pair for pair in itertools.combinations(names, 2) if overlap(*pair)]
    assert not [(a, b) for a in names for b in layout.obstacles if overlap(a, b)]


def test_skips_go_around_what_lies_between():
    motif = several_inputs()
    for flow in ("up", "right"):
        layout = sheet(motif, flow)
        found = routes(wires(motif, layout), layout.obstacles)
        assert trespasses(motif, layout, found) == []
        skip = found[[p.name for p in motif.projections].index("S2")].curve
        straight = np.linspace(skip[0], skip[-1], len(skip))
        assert np.hypot(*(skip - straight).T).max() > 0.3


def test_partners_share_a_row_and_layers_follow_the_sweep():
    layout = sheet(sal([64, 32, 32, 10], feedback=[48, 16]), "up")
    row = {name: box.y for name, box in layout.boxes.items()}
    assert row["up0"] < row["up1"] < row["up2"] < row["up3"]
    assert all(row[f"up{k}"] == row[f"down{k}"] for k in (1, 2, 3))
    across = sheet(sal([64, 32, 32, 10]), "right")
    assert across.boxes["up1"].x == across.boxes["down1"].x < across.boxes["up2"].x


def test_an_input_that_is_needed_late_stands_late():
    where = places(several_inputs())
    assert where["context"].layer == where["PFC"].layer - 1 > where["image"].layer == 0
    assert where["aux"].layer == where["err_aux"].layer and where["out"].layer == where["err"].layer


def test_bias_units_are_small_and_beside_what_they_drive():
    motif = sal([64, 32, 10], bias=True)
    layout = sheet(motif, "up")
    assert layout.biases == {"bias1", "bias2"}
    bias, target = layout.boxes["bias1"], layout.boxes["up1"]
    assert bias.y == target.y and bias.x < target.x - target.half_width
    assert bias.half_height < target.half_height / 1.9


def test_a_bias_unit_is_one_constant_neuron_that_drives_something():
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 2), cs.Population("y", 2), cs.Bias("b"), cs.Bias("idle"))
    motif.add(cs.Population("wide", 3, activation="one"))
    for name, pre in (("W", "x"), ("Wb", "b"), ("Ww", "wide")):
        motif.connect(pre, "y", name=name)
    assert [p.name for p in motif.populations if is_bias(motif, p)] == ["b"]


def test_deep_motifs_run_to_the_right_and_flat_ones_up():
    assert sheet(GALLERY["sal"]).forward.tolist() == [0, 1] and sheet(GALLERY["deep"]).forward.tolist() == [1, 0]


def test_ends_at_one_side_of_a_box_keep_apart():
    motif = GALLERY["sal"]
    layout = sheet(motif)
    ends = [end for r in routes(wires(motif, layout), layout.obstacles) for end in (r.curve[0], r.curve[-1])]
    assert min(np.hypot(*(a - b)) for a, b in itertools.combinations(ends, 2)) > 0.2


def test_direct_feedback_does_not_cross_itself():
    motif = GALLERY["deep direct"]
    layout = sheet(motif)
    found = {r.wire.name: r.curve for r in routes(wires(motif, layout), layout.obstacles)}
    fan = [found[f"V{k}"] for k in range(1, 8)]
    assert sum(crossings(curve, fan[:k]) for k, curve in enumerate(fan)) == 0


@settings(max_examples=12)
@given(motifs())
def test_any_motif_has_a_place_for_everything(motif):
    for flow in ("up", "right"):
        layout = sheet(motif, flow)
        assert not [pair for pair in itertools.combinations(layout.obstacles, 2) if overlap(*pair)]
        found = routes(wires(motif, layout), layout.obstacles)
        for p, route in zip(motif.projections, found, strict=False):
            assert np.isfinite(route.curve).all()
            for end, point in ((p.pre, route.curve[0]), (p.post, route.curve[-1])):
                box = layout.boxes[end]
                gap = np.abs(point - box.centre) - (box.half_width, box.half_height)
                assert gap.max() == pytest.approx(0, abs=1e-9)  # on the edge


def test_geometry_against_closed_forms():
    line = bezier(np.zeros(2), np.array([1.0, 0]), np.array([-1.0, 0]), np.array([3.0, 0]))
    assert line[:, 1].max() == 0 and line[-1].tolist() == [3, 0]
    assert along(line, -1.0)[0] == pytest.approx([2, 0]) and along(line, 0.5)[0] == pytest.approx([0.5, 0])
    cross = np.linspace([1.0, -1], [1.0, 1], len(line))
    assert crossings(line, [cross]) == 1
    assert crossings(line, [cross + np.array([5.0, 0]), line + np.array([0, 1.0])]) == 0
    assert Box(0, 0, 1, 2).overlaps(Box(1.9, 0, 1, 1)) and not Box(0, 0, 1, 2).overlaps(Box(2.1, 0, 1, 1))
