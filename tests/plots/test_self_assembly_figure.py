"""The main figure: a panel for each quantity, every run in each."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plots import self_assembly
from motifs import paper_sal
from tests.plots.histories import history, values


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def line(axes, label):
    (found,) = [line for line in axes.get_lines() if line.get_gid() == f"line:{label}"]
    return found


def texts(axes):
    return " ".join(text.get_text() for text in axes.texts)


def test_one_panel_per_hidden_layer_and_three_that_sum_up():
    figure = self_assembly({"SAL": history(layers=3), "SGD": history(1, layers=3)}, title="a title")
    words = list(panels(figure))
    assert words[:3] == ["W0", "W1", "W2"]  # not W3, which is 1 throughout
    assert [word.split()[0] for word in words[3:]] == ["Stationarity:", "Mirror", "Validation"]
    assert any("Learning signal vs. true gradient" in text.get_text() for text in figure.texts)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["SAL", "SGD", "thin: single layers"]


def test_the_output_of_a_shallow_run_is_not_shown_beside_the_hidden_layer_of_a_deeper_one():
    figure = self_assembly({"shallow": history(layers=1), "deep": history(1, layers=2)})
    assert list(panels(figure))[:2] == ["W0", "W1"]
    drawn = {title: {line.get_gid() for line in axes.get_lines()} for title, axes in panels(figure).items()}
    assert {"line:shallow", "line:deep"} <= drawn["W0"]
    assert "line:deep" in drawn["W1"] and "line:shallow" not in drawn["W1"]


def test_lines_and_bands_are_those_of_the_history():
    run = history(layers=2)
    figure = self_assembly({"SAL": run})
    cosine = values(run, "gradient_cosine", "probe", "W1")
    drawn = line(panels(figure)["W1"], "SAL")
    assert drawn.get_ydata() == pytest.approx(cosine.mean(1)) and drawn.get_xdata().tolist() == [0, 1, 2, 3, 4, 5, 6]
    (band,) = [c for c in panels(figure)["W1"].collections if c.get_gid() == "band:SAL"]
    top = [band.get_paths()[0].vertices[band.get_paths()[0].vertices[:, 0] == k, 1].max() for k in range(7)]
    assert top == pytest.approx(cosine.mean(1) + cosine.std(1, ddof=1))


def test_several_sites_are_averaged_per_replica_and_shown_thin():
    run = history(layers=2)
    axes = next(axes for title, axes in panels(self_assembly({"SAL": run})).items() if "Stationarity" in title)
    layers = np.stack([values(run, "stationarity_cosine", "probe", site) for site in ("W1", "W2")])
    assert line(axes, "SAL").get_ydata() == pytest.approx(layers.mean((0, 2)))
    thin = {line.get_gid(): line for line in axes.get_lines() if str(line.get_gid()).startswith("site:")}
    assert thin["site:SAL:W2"].get_ydata() == pytest.approx(layers[1].mean(1))
    assert thin["site:SAL:W2"].get_linewidth() < line(axes, "SAL").get_linewidth() / 2


def test_accuracy_is_that_of_the_validation_split():
    run = history()
    axes = panels(self_assembly({"SAL": run}))["Validation accuracy"]
    assert line(axes, "SAL").get_ydata() == pytest.approx(values(run, "accuracy", "validation").mean(1))


def test_what_no_run_measured_says_so_and_what_one_lacks_is_left_out():
    bare = cs.History()
    bare.add(step=1, epoch=1, split="validation", metric="accuracy", values=[0.5, 0.6])
    shown = panels(self_assembly({"bare": bare}))
    assert ["not measured" in texts(axes) for axes in shown.values()] == [True, True, True, False]
    both = panels(self_assembly({"bare": bare, "SAL": history()}))
    assert not any("not measured" in texts(axes) for axes in both.values())
    assert [line.get_gid() for line in both["W0"].get_lines() if "line:" in str(line.get_gid())] == ["line:SAL"]
    assert all("not measured" in texts(axes) for axes in panels(self_assembly({"none": cs.History()})).values())


def test_values_that_are_not_defined_leave_a_gap():
    run = history()
    run.rows = [(*row[:6], np.nan) if row[5] == "W0" and row[1] < 3 else row for row in run.rows]
    drawn = line(panels(self_assembly({"SAL": run}))["W0"], "SAL").get_ydata()
    assert np.isnan(drawn[:3]).all() and np.isfinite(drawn[3:]).all()


def test_cosines_have_a_zero_line_and_room_for_one():
    figure = self_assembly({"SAL": history()})
    for title, axes in panels(figure).items():
        zero = [line for line in axes.get_lines() if line.get_gid() == "zero"]
        assert bool(zero) == (title != "Validation accuracy")
        if zero:
            low, high = axes.get_ylim()
            assert low < 0 and high > 1


def test_the_output_layer_is_shown_unless_its_cosine_is_one_throughout():
    run = history()
    run.rows = [(*row[:6], row[6] - 0.1) if row[4:6] == ("gradient_cosine", "W2") else row for row in run.rows]
    assert "W2" in panels(self_assembly({"SAL": run}))
    assert "W2" not in panels(self_assembly({"SAL": run, "SGD": history()}))


def test_biases_have_no_panel_and_many_layers_take_more_rows():
    run = history(layers=6)
    run.add(step=0, epoch=0, split="probe", metric="gradient_cosine", site="b1", values=[0.1] * 4)
    figure = self_assembly({"SAL": run})
    assert list(panels(figure))[:6] == [f"W{k}" for k in range(6)]
    heights = {round(axes.get_position().y0, 6) for axes in figure.axes}
    assert len(heights) == 3


def test_nothing_overlaps_and_nothing_leaves_the_page():
    runs = {f"control: a run with a long name {k}": history(k, layers=4) for k in range(6)}
    figure = self_assembly(runs, title="title")
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    areas = [axes.get_tightbbox(renderer) for axes in figure.axes]
    areas.append(figure.legends[0].get_window_extent(renderer))
    for k, a in enumerate(areas):
        assert figure.bbox.x0 <= a.x0 and a.x1 <= figure.bbox.x1 and figure.bbox.y0 <= a.y0 and a.y1 <= figure.bbox.y1
        assert not any(a.overlaps(b) for b in areas[:k])


def test_a_real_run_is_shown_as_it_was_measured(tmp_path):
    data = cs.load_dataset("digits")
    circuit = cs.compile(paper_sal([64, 16, 16, 10]), replicas=2, seed=0, device="cpu")
    x, target = data.validation.x[:100], data.validation.target[:100]
    run = cs.fit(
        circuit,
        data,
        epochs=2,
        batch_size=128,
        progress=False,
        probes={"alignment": lambda c: cs.alignment(c, x, target)},
    )
    figure = self_assembly({"SAL (gated)": run}, tmp_path / "figure.svg")
    assert [word for word in panels(figure) if len(word) == 2] == ["W0", "W1"]
    curve = run.curve("gradient_cosine", "probe", "W1")
    assert line(panels(figure)["W1"], "SAL (gated)").get_ydata() == pytest.approx(curve.mean(axis=1).to_numpy())
    assert "svg" in (tmp_path / "figure.svg").read_text()[:400]


def test_a_run_must_be_a_history():
    with pytest.raises(cs.ParameterError, match="must be a History"):
        self_assembly({"SAL": None})
