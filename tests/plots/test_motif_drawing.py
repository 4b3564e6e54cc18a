"""The drawing of a motif, read back from its artists and its files."""

import ast
import itertools
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PIL import Image

import circuitsim as cs
import circuitsim.plots
from circuitsim.plots import KIND_COLOURS
from circuitsim.plots.style import LINES
from motifs import paper_sal, reward_modulated, weight_mirror
from tests.motif.circuits import loop_over_phases
from tests.plots.figures import GALLERY, HEBB, all_named, many, named
from tests.strategies import motifs

STREAM_KINDS = {("soma", "ascending"): "W", ("soma", "descending"): "Wt", ("dendrite", "ascending"): "V"}


def state_of(p):
    """What a projection's line should say, from its declaration."""
    return "derived" if p.tied_to is not None else "plastic" if p.plastic and p.rule is not None else "fixed"


def kind(motif, p):
    return STREAM_KINDS.get((p.compartment, motif.population(p.post).stream), "Vt")


def text_of(artist):
    return artist.get_text().replace("\n", " ")


@pytest.mark.parametrize("name", ["sal", "backprop", "bias", "several inputs", "deep direct"])
def test_every_projection_has_its_kinds_colour_and_its_plasticitys_line(name):
    motif = GALLERY[name]
    figure = cs.draw(motif)
    drawn = {name: line for name, line in all_named(figure, "projection:").items() if not name.startswith("legend")}
    assert set(drawn) == {p.name for p in motif.projections}
    for p in motif.projections:
        assert to_hex(drawn[p.name].get_edgecolor()).upper() == KIND_COLOURS[kind(motif, p)]
        style = LINES[state_of(p)]
        assert drawn[p.name].get_linewidth() == style.width
        assert drawn[p.name].get_linestyle() == ("-" if state_of(p) == "plastic" else (0.0, style.dashes))
        assert text_of(named(figure, f"label:{p.name}")).startswith(p.name)


@pytest.mark.parametrize("name", ["sal", "bias", "several inputs", "deep direct"])
def test_every_head_touches_the_population_that_its_projection_ends_on(name):
    motif = GALLERY[name]
    figure = cs.draw(motif)
    boxes, heads = all_named(figure, "population:"), all_named(figure, "head:")
    for p in motif.projections:
        tip = heads[p.name].get_paths()[0].vertices[0]
        box = boxes[p.post].get_path().get_extents(boxes[p.post].get_patch_transform())
        gap = np.abs(tip - [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) - [box.width / 2, box.height / 2]
        assert gap.max() == pytest.approx(0, abs=0.03)  # inches


def test_heads_differ_by_compartment_and_stream():
    figure = cs.draw(GALLERY["sal"])
    heads = {kind: named(figure, f"head:{kind}1") for kind in ("W", "Wt", "V", "Vt")}
    n_corners = {kind: len(head.get_paths()[0].vertices) - 1 for kind, head in heads.items()}
    assert n_corners["W"] == 3 and n_corners["Wt"] == 4 and n_corners["V"] == n_corners["Vt"] > 30
    assert to_hex(heads["V"].get_facecolor()[0]).upper() == KIND_COLOURS["V"]
    assert to_hex(heads["Vt"].get_facecolor()[0]) == "#ffffff"


def test_labels_tell_ties_sparse_and_one_to_one_connectivity():
    figure = cs.draw(GALLERY["backprop"])
    assert named(figure, "label:Wt1").get_text() == "Wt1 = W1ᵀ"
    assert named(figure, "label:V1").get_text() == "V1 = 1"
    motif = paper_sal([4, 3, 2]).replace("V1", connectivity=cs.Random(0.25))
    motif = motif.replace("Vt1", rule=None, init=None, tied_to=cs.Derived("V1", transpose=True, scale=-2, sign=True))
    figure = cs.draw(motif)
    assert named(figure, "label:V1").get_text() == "V1, 25%"
    assert named(figure, "label:Vt1").get_text() == "Vt1 = -2 sign(V1)ᵀ"


def test_populations_show_name_size_activation_and_gate():
    texts = {text.get_text() for text in cs.draw(GALLERY["backprop"]).axes[0].texts}
    assert {
        "up1",
        "down3",
        "64 · input",
        "32 · relu",
        "10 · error",
        "32 · slope of up1",
        "loss\ncross-entropy",
    } <= texts


def test_the_legend_explains_what_is_there_and_nothing_else():
    def said(name):
        return [text.get_text() for text in cs.draw(GALLERY[name]).findobj(lambda a: a.get_gid() == "legend")]

    direct, bias = said("direct"), said("bias")
    assert [text.split(":")[0] for text in direct if ":" in text] == ["W", "V"]
    assert "plastic" in direct and "fixed" in direct and not any("tied" in text for text in direct)
    assert [text.split(":")[0] for text in bias if ":" in text] == ["W", "Wt", "V", "Vt"]
    assert "bias unit" in bias and any("tied" in text for text in said("backprop"))


def test_phases_and_signals_are_listed():
    assert named(cs.draw(GALLERY["sal"]), "step").get_text() == ""
    assert text_of(named(cs.draw(weight_mirror([6, 5, 3])), "step")) == (
        "phases of a step, in order 1. cycle: W0, W1 plastic "
        "2. mirror1: W1, Vt2 drive; no errors; no     inputs; noise in up1; Wt1 plastic"
    )
    assert text_of(named(cs.draw(reward_modulated([4, 2])), "step")) == "in each step: noise in noise1 signals: reward"


@pytest.mark.parametrize("name", ["sal", "several inputs", "perceptron", "names"])
def test_all_text_is_on_the_page_large_and_apart(name):
    figure = cs.draw(GALLERY[name], title="a title that is longer than the circuit is wide, " * 2)
    figure.draw_without_rendering()
    page, texts = figure.bbox, [text for text in figure.axes[0].texts if text.get_text()]
    extents = [text.get_window_extent() for text in texts]
    for text, extent in zip(texts, extents, strict=True):
        assert page.x0 <= extent.x0 and extent.x1 <= page.x1 and page.y0 <= extent.y0 and extent.y1 <= page.y1
        assert text.get_size() >= 12
    pairs = itertools.combinations(zip(texts, extents, strict=True), 2)
    assert [(a.get_text(), b.get_text()) for (a, x), (b, y) in pairs if x.padded(-2).overlaps(y)] == []  # pixels


def test_text_fits_its_box():
    figure = cs.draw(GALLERY["names"])
    figure.draw_without_rendering()
    for name, box in all_named(figure, "population:").items():
        inner = [text.get_window_extent() for text in figure.axes[0].texts if text_of(text).replace(" ", "") == name]
        outer = box.get_window_extent()
        assert len(inner) == 1
        assert outer.x0 < inner[0].x0 and inner[0].x1 < outer.x1 and outer.y0 < inner[0].y0 and inner[0].y1 < outer.y1


def test_files_are_what_their_suffix_says(tmp_path):
    motif = GALLERY["sal"]
    paths = [tmp_path / "new" / "folder" / f"motif{suffix}" for suffix in (".png", ".svg", ".pdf")]
    figures = [motif.draw(path) for path in paths]
    assert isinstance(figures[0], Figure)
    with Image.open(paths[0]) as image:
        assert image.format == "PNG" and image.size[0] > 1200 and len(image.getcolors(1 << 24)) > 8
    root = ElementTree.parse(paths[1]).getroot()
    assert root.tag.endswith("svg")
    assert {"projection:W0", "label:W0", "population:up1"} <= {e.get("id") for e in root.iter()}
    assert paths[2].read_bytes().startswith(b"%PDF")


def test_the_same_motif_gives_the_same_bytes(tmp_path):
    for suffix in (".png", ".svg"):
        a, b = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        cs.draw(GALLERY["perceptron"], a)
        cs.draw(GALLERY["perceptron"], str(b))
        assert a.read_bytes() == b.read_bytes()


def test_a_motif_draws_itself_and_a_notebook_shows_it():
    figure = GALLERY["perceptron"].draw(title="")
    assert named(figure, "title").get_text() == ""
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_drawing_is_imported_late():
    assert "draw" not in vars(cs)  # so that `import circuitsim` needs no matplotlib
    assert cs.draw is circuitsim.plots.draw
    with pytest.raises(AttributeError, match="module 'circuitsim' has no attribute 'drawn'"):
        cs.drawn  # noqa: B018


def test_faulty_arguments_say_what_there_is(tmp_path):
    with pytest.raises(cs.ParameterError, match="flow must be 'up', 'right' or None .got 'down'."):
        cs.draw(GALLERY["sal"], flow="down")
    with pytest.raises(
        cs.ParameterError, match="motif.bmp': the name of a figure must end with one of .png, .svg, .pdf"
    ):
        cs.draw(GALLERY["sal"], tmp_path / "motif.bmp")
    with pytest.raises(cs.MotifError, match="has no population"):
        cs.draw(cs.Motif("empty"))


def test_many_projections_are_drawn_simply_and_the_figure_says_so():
    motif = many(100, 1300)
    figure = cs.draw(motif)
    assert named(figure, "note").get_text().startswith("drawn simply: 100 populations, 1,300 projections;")
    lines, heads = all_named(figure, "projections:"), all_named(figure, "heads:")
    groups = {f"{kind(motif, p)}:{state_of(p)}": 0 for p in motif.projections}
    for p in motif.projections:
        groups[f"{kind(motif, p)}:{state_of(p)}"] += 1
    assert {name: len(line.get_segments()) for name, line in lines.items()} == groups
    assert {name: len(head.get_paths()) for name, head in heads.items()} == groups
    boxes = all_named(figure, "population:")
    assert set(boxes) == {p.name for p in motif.populations}
    for name in lines:
        members = [p for p in motif.projections if f"{kind(motif, p)}:{state_of(p)}" == name]
        for p, segment, head in zip(members, lines[name].get_segments(), heads[name].get_paths(), strict=True):
            np.testing.assert_allclose(head.vertices[0], segment[-1], atol=0.01)  # inches
            box = boxes[p.post].get_bbox()
            gap = abs(segment[-1] - [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) - [box.width / 2, box.height / 2]
            assert gap.max() == pytest.approx(0, abs=0.01)  # inches
    assert max(figure.get_size_inches()) < 30
    assert named(cs.draw(GALLERY["sal"]), "title").get_text() == "paper_sal"
    assert not all_named(cs.draw(GALLERY["sal"]), "note")


@settings(max_examples=4)
@given(motifs())
def test_any_sound_motif_can_be_drawn(motif):
    figure = cs.draw(motif)
    assert {f"projection:{p.name}" for p in motif.projections} <= {a.get_gid() for a in figure.findobj()}
    assert {p.name for p in motif.populations} == set(all_named(figure, "population:"))
    figure.draw_without_rendering()


def test_a_bias_unit_is_a_small_circle():
    bias = named(cs.draw(GALLERY["bias"]), "population:bias1")
    assert isinstance(bias, Circle) and bias.radius < 0.2


def test_phases_that_close_a_loop_together_are_all_drawn():
    drawn = {name for name in all_named(cs.draw(loop_over_phases()), "projection:") if not name.startswith("legend")}
    assert drawn == {"W", "U", "D", "F"}


def test_a_population_and_a_projection_of_one_name_are_drawn():
    motif = cs.Motif("namesakes")
    motif.add(cs.Population("x", 2), cs.Population("y", 2))
    motif.connect("x", "y", name="y", rule=cs.Rule("I_y * pre"))
    motif.connect("y", "x", name="x", compartment="dendrite", rule=HEBB)
    figure = motif.draw()
    assert {"x", "y"} <= set(all_named(figure, "projection:")) & set(all_named(figure, "population:"))


def test_no_module_of_the_room_imports_pyplot_and_no_function_hides_its_module():
    folder = Path(circuitsim.plots.__file__).parent
    for file in folder.rglob("*.py"):
        assert file.stem not in circuitsim.plots.__all__
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert not any("pyplot" in name for name in names), file
