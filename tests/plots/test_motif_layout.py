"""Where the boxes, wires and labels of a drawing go."""

import itertools

import numpy as np
import pytest
from matplotlib.bezier import BezierSegment

import circuitsim as cs
from circuitsim.plots.motif_captions import projection_text, step_text
from circuitsim.plots.motif_layout import arrange, middle
from circuitsim.plots.motif_wires import label_boxes, loss_wires, wires
from motifs import paper_sal
from tests.plots.figures import GALLERY, several_inputs


def overlap(a, b):
    """Whether two boxes share area, by their corners."""
    return max(a.x0, b.x0) < min(a.x1, b.x1) and max(a.y0, b.y0) < min(a.y1, b.y1)


def all_boxes(layout):
    return [*layout.boxes.values(), *layout.losses]


def points_inside(box, curve):
    """How many of 200 points of a Bezier curve lie inside a box."""
    x, y = BezierSegment(curve)(np.linspace(0, 1, 200)).T
    return int(((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)).sum())


@pytest.mark.parametrize("flow", ["up", "right"])
@pytest.mark.parametrize("name", GALLERY)
def test_no_two_boxes_overlap_and_streams_stand_apart(name, flow):
    motif = GALLERY[name]
    layout = arrange(motif, flow)
    assert set(layout.boxes) == {p.name for p in motif.populations}
    assert not [pair for pair in itertools.combinations(all_boxes(layout), 2) if overlap(*pair)]
    column = {name: float(middle(box) @ layout.across) for name, box in layout.boxes.items()}
    for p in motif.populations:
        assert column[p.name] < 0 if p.stream == "ascending" else column[p.name] > 0


@pytest.mark.parametrize("name", GALLERY)
def test_no_wire_runs_through_a_box_and_no_label_covers_a_box_or_a_label(name):
    motif = GALLERY[name]
    layout = arrange(motif)
    found = wires(motif, layout)
    for p, curve in zip(motif.projections, found, strict=True):
        ends = {p.pre, p.post}
        crossed = [name for name, box in layout.boxes.items() if name not in ends and points_inside(box, curve)]
        assert crossed == [] and not any(points_inside(box, curve) for box in layout.losses), p.name
    texts = [projection_text(p, narrow=bool(layout.forward[0])) for p in motif.projections]
    labels = label_boxes(texts, [*found, *loss_wires(motif, layout)], layout)
    assert not [pair for pair in itertools.combinations(labels, 2) if overlap(*pair)]
    assert not [(a, b) for a in labels for b in all_boxes(layout) if overlap(a, b)]


def test_projections_between_two_populations_run_in_parallel():
    motif = GALLERY["sal"]
    names = [p.name for p in motif.projections]
    found = wires(motif, arrange(motif, "up"))
    there, back = found[names.index("V1")], found[names.index("Vt1")]
    assert np.ptp(there[:, 1]) < 1e-9 and np.ptp(back[:, 1]) < 1e-9
    assert abs(there[0, 1] - back[0, 1]) == pytest.approx(0.3, abs=0.01)
    assert there[0, 0] == pytest.approx(back[-1, 0], abs=0.01) and there[0, 0] > there[-1, 0]


def test_partners_share_a_row_and_layers_follow_the_sweep():
    row = {name: box.y0 for name, box in arrange(paper_sal([64, 32, 32, 10], feedback=[48, 16]), "up").boxes.items()}
    assert row["up0"] < row["up1"] < row["up2"] < row["up3"]
    assert all(row[f"up{k}"] == row[f"down{k}"] for k in (1, 2, 3))
    across = arrange(paper_sal([64, 32, 32, 10]), "right")
    assert across.boxes["up1"].x0 == across.boxes["down1"].x0 < across.boxes["up2"].x0


def test_a_skip_goes_around_what_lies_between():
    motif = several_inputs()
    for flow in ("up", "right"):
        skip = wires(motif, arrange(motif, flow))[[p.name for p in motif.projections].index("S1")]
        middle_of_chord = (skip[0] + skip[-1]) / 2
        assert np.hypot(*(BezierSegment(skip)(0.5) - middle_of_chord)) > 0.3


def test_deep_motifs_run_to_the_right_and_flat_ones_up():
    assert arrange(GALLERY["sal"]).forward.tolist() == [0, 1] and arrange(GALLERY["deep"]).forward.tolist() == [1, 0]


def test_bias_units_stand_beside_what_they_drive():
    layout = arrange(paper_sal([64, 32, 10], bias=True), "up")
    assert layout.biases == {"bias1", "bias2"}
    bias, target = layout.boxes["bias1"], layout.boxes["up1"]
    assert middle(bias)[1] == middle(target)[1] and bias.x1 < target.x0


def test_a_motif_of_one_population_has_one_box():
    motif = cs.Motif("one")
    motif.add(cs.Population("x", 3))
    assert list(arrange(motif).boxes) == ["x"] and wires(motif, arrange(motif)) == []


@pytest.mark.parametrize(("repeat", "caption"), [(20, "20 iterations"), ("time", "at every time step")])
def test_iterations_and_delays_are_captions(repeat, caption):
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 2), cs.Population("y", 2), cs.Phase("settle", repeat=repeat))
    motif.connect("x", "y", name="W"), motif.connect("y", "y", name="R", delay=1)
    assert [projection_text(p) for p in motif.projections] == ["W", "R (t − 1)"]
    assert step_text(motif) == f"in each step: {caption}"
