"""Learning curves: what is drawn is what was measured."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import circuitsim as cs
from circuitsim.plots import curves
from circuitsim.plots.line_plots import spread_out
from circuitsim.plots.series import Series
from tests.plots.figures import all_named, named
from tests.plots.histories import history, values


def band_edges(figure, label):
    """Epochs, lower and upper edge of a band, read from its polygon."""
    (path,) = named(figure, f"band:{label}").get_paths()
    vertices = path.vertices[:-1]
    epochs = np.unique(vertices[:, 0])
    sides = [vertices[vertices[:, 0] == epoch, 1] for epoch in epochs]
    return epochs, np.array([side.min() for side in sides]), np.array([side.max() for side in sides])


def test_line_and_band_are_mean_and_standard_deviation_of_the_replicas():
    runs = {"SAL": history(0), "SGD": history(1, level=0.9)}
    figure = curves(runs, "accuracy", split="validation")
    for label, run in runs.items():
        accuracy = values(run, "accuracy", "validation")
        line = named(figure, f"line:{label}")
        assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
        assert line.get_ydata() == pytest.approx(accuracy.mean(1), abs=1e-12)
        epochs, low, high = band_edges(figure, label)
        assert epochs.tolist() == [1, 2, 3, 4, 5, 6]
        assert low == pytest.approx(accuracy.mean(1) - accuracy.std(1, ddof=1), abs=1e-12)
        assert high == pytest.approx(accuracy.mean(1) + accuracy.std(1, ddof=1), abs=1e-12)


def test_a_single_replica_has_a_line_and_no_band():
    figure = curves({"one": history(replicas=1)}, "loss")
    assert all_named(figure, "band:") == {} and len(all_named(figure, "line:")) == 1


def test_replicas_without_a_value_are_left_out_and_a_gap_is_left_where_none_has_one():
    run = cs.History()
    table = np.array([[1.0, 3.0, 5.0], [2.0, np.nan, 4.0], [np.nan, np.nan, np.nan], [7.0, np.nan, np.nan]])
    for epoch, row in enumerate(table):
        run.add(step=epoch, epoch=epoch, split="probe", metric="c", values=row)
    figure = curves({"run": run}, "c")
    assert named(figure, "line:run").get_ydata() == pytest.approx([3, 3, np.nan, 7], nan_ok=True)
    band = named(figure, "band:run").get_paths()
    assert len(band) == 2  # before and after the gap
    assert (band[0].vertices[:, 1].min(), band[0].vertices[:, 1].max()) == (1, 5)


def test_of_two_values_at_one_epoch_the_last_counts():
    run = cs.History()
    for value in (0.1, 0.7):
        run.add(step=3, epoch=1, split="test", metric="accuracy", values=[value])
    assert named(curves({"run": run}, "accuracy"), "line:run").get_ydata().tolist() == [0.7]


def test_the_split_is_validation_where_several_were_measured():
    run = history()
    line = named(curves({"run": run}, "accuracy"), "line:run")
    assert line.get_ydata() == pytest.approx(values(run, "accuracy", "validation").mean(1))
    online = named(curves({"run": run}, "accuracy", split="online"), "line:run")
    assert online.get_ydata() == pytest.approx(values(run, "accuracy", "online").mean(1))


def test_an_unknown_or_open_choice_is_told_what_there_is():
    runs = {"SAL": history()}
    for arguments, message in (
        (
            {"metric": "acuracy"},
            "run 'SAL' has no metric 'acuracy' .known: .'accuracy', 'gradient_cosine', 'loss', 'mirror",
        ),
        ({"metric": "accuracy", "split": "test"}, "has no split 'test' .known: .'online', 'validation'"),
        ({"metric": "gradient_cosine", "site": "V9"}, "has no site 'V9' .known: .'W0', 'W1', 'W2'"),
        ({"metric": "gradient_cosine"}, "has several sites; name one of .'W0', 'W1', 'W2'"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            curves(runs, **arguments)
    with pytest.raises(cs.ParameterError, match="runs is empty; it maps labels to histories"):
        curves({}, "accuracy")
    with pytest.raises(cs.ParameterError, match="runs.'SAL'. must be a History .got list."):
        curves({"SAL": [1, 2]}, "accuracy")


def test_names_stand_at_the_line_ends_in_their_order_and_do_not_overlap():
    runs = {f"run {k}": history(k, level=0.8 + 0.001 * k) for k in range(6)}
    figure = curves(runs, "accuracy", title="t")
    figure.draw_without_rendering()
    names = all_named(figure, "end:")
    ends = {name: named(figure, f"line:{name}").get_ydata()[-1] for name in names}
    assert sorted(ends, key=ends.get) == sorted(names, key=lambda name: names[name].get_position()[1])
    extents = [text.get_window_extent() for text in names.values()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(extents, 2))
    assert all(extent.x1 <= figure.bbox.x1 for extent in extents)


def test_replicas_without_a_finite_value_are_left_out_of_mean_and_spread():
    run = Series(np.arange(4.0), np.array([[1.0, 3.0, 8.0], [np.nan, 2.0, np.inf], [5.0, 7.0, np.nan], [np.nan] * 3]))
    np.testing.assert_allclose(run.mean, [4.0, 2.0, 6.0, np.nan], rtol=1e-12)
    np.testing.assert_allclose(run.spread, [np.sqrt(13.0), 0.0, np.sqrt(2.0), 0.0], rtol=1e-12)


def test_spreading_out_keeps_what_is_apart_and_centres_what_is_not():
    assert spread_out([0.9, 0.1, 0.5], 0.2) == [0.9, 0.1, 0.5]
    assert spread_out([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])
    moved = spread_out([0.3, 0.31, 0.29, 0.9], 0.1)
    assert moved == pytest.approx([0.3, 0.4, 0.2, 0.9])


def test_runs_differ_in_colour_and_line():
    figure = curves({f"{k}": history(k) for k in range(10)}, "loss")
    styles = {
        (line.get_color(), str(line.get_linestyle()), str(line._unscaled_dash_pattern))
        for line in all_named(figure, "line:").values()
    }
    assert len(styles) == 10


def test_a_run_that_lost_replicas_says_so():
    run = history()
    for _ in range(2):
        run.mark_runaway({"replica": 3, "step": 5, "projection": "V1", "reason": "too large"})
    assert list(all_named(curves({"SAL": run}, "loss"), "line:")) == ["SAL (1 ran away, left out)"]


def test_given_axes_are_drawn_on_and_keep_their_figure(tmp_path):
    figure = Figure()
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    assert curves({"SAL": history()}, "loss", ax=right, path=tmp_path / "a" / "b.png", ylabel="nats") is figure
    assert not left.has_data() and right.get_ylabel() == "nats" and right.get_xlabel() == "epochs"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["SAL"]
    with Image.open(tmp_path / "a" / "b.png") as image:
        assert image.format == "PNG"


def test_a_value_that_stands_alone_is_drawn_as_a_point():
    run = cs.History()
    for epoch, value in enumerate([0.1, 0.2, np.nan, 0.5, np.nan]):
        run.add(step=epoch, epoch=epoch, split="validation", metric="accuracy", values=[value])
    line = named(curves({"gaps": run}, "accuracy"), "line:gaps")
    assert line.get_marker() == "o" and line.get_markevery() == [3]


@pytest.mark.parametrize("n", [5, 40])
def test_all_labels_are_in_the_figure(n):
    runs = {f"run {k}": history(k, epochs=2, replicas=1, level=0.9) for k in range(n)}
    figure = curves(runs, "accuracy", split="validation")
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = sorted(
        (text.get_window_extent(renderer) for text in all_named(figure, "end:").values()), key=lambda b: b.y0
    )
    assert len(boxes) == n and boxes[0].y0 >= 0 and boxes[-1].y1 <= figure.bbox.height
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))
