"""Swept parameters, spectra and similarity matrices: what is drawn is what was given."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.analysis import Census
from circuitsim.plots import census, dependence, similarity, spectra
from tests.plots.figures import all_named, named


def test_dependence_draws_the_mean_of_what_did_not_run_away_and_crosses_where_any_did():
    values = [[1.0, 3.0], [5.0, np.nan], [np.nan, np.nan]]
    figure = dependence({"SAL": ([0.1, 1.0, 3.0], values)}, xlabel="factor", ylabel="accuracy")
    line = named(figure, "line:SAL")
    np.testing.assert_allclose(line.get_ydata(), [2.0, 5.0, np.nan])
    assert named(figure, "lost:SAL").get_xdata().tolist() == [1.0, 3.0]


def test_points_may_come_in_any_order():
    ordered = dependence({"SAL": ([1.0, 2.0, 4.0], [[1.0, 2.0], [2.0, 4.0], [3.0, 5.0]])}, xlabel="x", ylabel="y")
    other = dependence({"SAL": ([4.0, 1.0, 2.0], [[3.0, 5.0], [1.0, 2.0], [2.0, 4.0]])}, xlabel="x", ylabel="y")
    for gid in ("line:SAL", "band:SAL"):
        a, b = (named(figure, gid) for figure in (ordered, other))
        paths = [part.get_path() if gid.startswith("line") else part.get_paths()[0] for part in (a, b)]
        np.testing.assert_array_equal(paths[0].vertices, paths[1].vertices)


def test_labels_of_close_values_do_not_run_into_each_other():
    x = [0.5, 1.0, 2.0, 8.02, 8.5, 9.97]
    figure = dependence({"SAL": (x, [[1.0]] * 6)}, xlabel="ratio", ylabel="accuracy")
    axes = figure.axes[0]
    assert axes.get_xticks().tolist() == x
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.5", "1", "2", "8", "", "10"]


def test_dependence_refuses_shapes_that_do_not_fit():
    with pytest.raises(cs.ParameterError, match=r"needs x \[point\] and values"):
        dependence({"SAL": ([0.1, 1.0], [[1.0]])}, xlabel="", ylabel="")
    with pytest.raises(cs.ParameterError, match="runs is empty"):
        dependence({}, xlabel="", ylabel="")


def test_a_census_is_drawn_relative_to_its_random_graphs():
    plain, rich = Census(6, np.array([2.0, 4.0, 6.0])), Census(9, np.array([3.0, 3.0, 3.0]))
    none = Census(0, np.zeros(3))
    figure = census({"square": {"SAL": [plain, rich], "other": [none]}})
    assert named(figure, "observed:SAL").get_xdata().tolist() == [1.5, 3.0]
    assert len(named(figure, "observed:other").get_xdata()) == 0
    bars = [segment[:, 0].tolist() for segment in named(figure, "random:SAL").get_segments()]
    np.testing.assert_allclose(bars, [[0.525, 1.475], [1.0, 1.0]])
    with pytest.raises(cs.ParameterError, match="counts is empty"):
        census({})


def test_spectra_are_means_over_replicas_largest_first():
    figure = spectra({"V1": {"SAL": [[1.0, 4.0, 2.0], [3.0, 1.0, 6.0]]}}, mark=2)
    line = figure.axes[0].get_lines()[0]
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata().tolist() == [5.0, 2.5, 1.0]
    assert figure.axes[0].get_lines()[1].get_xdata() == [2.5, 2.5]


def test_spectra_leave_out_replicas_that_ran_away_and_say_so():
    figure = spectra({"V1": {"SAL": [[1.0, 4.0], [np.nan, np.nan]], "SGD": [[1.0, 2.0]]}})
    assert named(figure, "line:V1:SAL").get_ydata().tolist() == [4.0, 1.0]
    texts = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert texts == ["SAL\n(1 ran away, left out)", "SGD"]


def test_a_circuit_looks_the_same_at_every_site_and_the_legend_names_all():
    ones = [[1.0, 0.5]]
    figure = spectra({"V1": {"SAL": ones, "SGD": ones}, "W1": {"SGD": ones, "FA": ones}, "W2": {"FA": ones}})
    style = {}
    for gid, line in all_named(figure, "line:").items():
        style.setdefault(gid.partition(":")[2], set()).add((line.get_color(), line.get_linestyle()))
    assert {label: len(found) for label, found in style.items()} == {"SAL": 1, "SGD": 1, "FA": 1}
    assert len(set().union(*style.values())) == 3
    (legend,) = (axes.get_legend() for axes in figure.axes if axes.get_legend())
    shown = zip(legend.get_texts(), legend.get_lines(), strict=True)
    assert {text.get_text(): {(line.get_color(), line.get_linestyle())} for text, line in shown} == style


def test_similarity_shows_both_matrices_scaled_and_in_the_same_order():
    before, after = np.diag([1.0, 2.0, 4.0]), np.outer([1.0, -2.0, 3.0], [1.0, -2.0, 3.0])
    figure = similarity({"W0": {"W Wᵀ": (before, after)}})
    shown = named(figure, "W0:W Wᵀ:after").get_array()
    order = [1, 0, 2]  # by the leading eigenvector
    np.testing.assert_allclose(shown, after[np.ix_(order, order)] / 9)
    np.testing.assert_allclose(named(figure, "W0:W Wᵀ:before").get_array(), before[np.ix_(order, order)] / 4)


def test_similarity_refuses_what_is_not_square_or_not_finite():
    with pytest.raises(cs.ParameterError, match="square"):
        similarity({"W0": {"W Wᵀ": (np.ones((2, 3)), np.eye(2))}})
    with pytest.raises(cs.ParameterError, match="finite"):
        similarity({"W0": {"W Wᵀ": (np.eye(2), np.full((2, 2), np.nan))}})


def test_a_logarithmic_axis_needs_positive_numbers():
    with pytest.raises(
        cs.ParameterError, match="must be positive on a logarithmic axis .got 0.; pass logarithmic=False"
    ):
        dependence({"SAL": ([0, 1], [[0.1], [0.2]])}, xlabel="x", ylabel="y")
    dependence({"SAL": ([0, 1], [[0.1], [0.2]])}, xlabel="x", ylabel="y", logarithmic=False)


def test_empty_and_odd_matrices_are_refused_by_name():
    for draw, given in ((cs.plots.similarity, {"up1": {}}), (cs.plots.census, {"square": {}})):
        with pytest.raises(cs.ParameterError, match="is empty"):
            draw(given)
    with pytest.raises(cs.ParameterError, match="up1: h after has 3 neurons, others have 4"):
        cs.plots.similarity({"up1": {"g": (np.eye(4), np.eye(4)), "h": (np.eye(4), np.eye(3))}})
