"""Dots: every replica is drawn in its row, with their mean and spread, and lost ones are marked."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plots import dots
from tests.plots.figures import all_named, named

ROWS = {"random": {"SAL": [1.0, 3.0], "frozen": [2.0, 2.0]}, "sparse": {"SAL": [5.0, np.nan], "frozen": [np.nan] * 2}}


def test_each_row_has_its_replicas_their_mean_and_their_standard_deviation():
    figure = dots({"accuracy": ROWS}, title="starts")
    assert named(figure, "dots:random:SAL").get_xdata().tolist() == [1.0, 3.0]
    assert named(figure, "mean:random:SAL").get_xdata() == [2.0]
    np.testing.assert_allclose(named(figure, "spread:random:SAL").get_xdata(), 2.0 + np.sqrt(2) * np.array([-1, 1]))
    places = {name: dot.get_ydata()[0] for name, dot in all_named(figure, "dots:").items() if len(dot.get_ydata())}
    assert places["random:SAL"] < places["random:frozen"] < 0.5 < places["sparse:SAL"]
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["random", "sparse"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is at the top


def test_a_replica_that_ran_away_is_left_out_and_marked():
    figure = dots({"accuracy": ROWS})
    assert named(figure, "mean:sparse:SAL").get_xdata() == [5.0]
    assert set(all_named(figure, "lost:")) == {"sparse:SAL", "sparse:frozen"}
    assert "sparse:frozen" not in all_named(figure, "mean:")
    assert "a replica ran away" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_panels_must_have_the_same_rows_and_values_of_replicas():
    with pytest.raises(cs.ParameterError, match="panels is empty"):
        dots({})
    with pytest.raises(cs.ParameterError, match=r"panels\['cosine'\] has the rows \['sparse'\]"):
        dots({"accuracy": ROWS, "cosine": {"sparse": ROWS["sparse"]}})
    with pytest.raises(cs.ParameterError, match=r"needs values \[replica\] \(got an array with 0 axes\)"):
        dots({"accuracy": {"random": {"SAL": 1.0}}})


@pytest.mark.parametrize("n", [1, 4, 12, 30])
def test_runs_stay_in_their_rows_and_the_legend_in_the_figure(n):
    runs = {f"run number {k}": [float(k), np.nan] for k in range(n)}
    figure = dots({"accuracy": {"a": runs, "b": runs}})
    for y, row in enumerate("ab"):
        places = [float(line.get_ydata()[0]) for line in all_named(figure, f"mean:{row}:").values()]
        assert len(places) == n and all(abs(place - y) < 0.5 for place in places)
        assert places == sorted(places)
    (legend,) = figure.legends
    box = legend.get_window_extent(figure.canvas.get_renderer())
    assert box.x1 <= figure.bbox.width and box.y0 >= figure.axes[0].get_window_extent().y1
