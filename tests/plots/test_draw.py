"""The picture of a motif, read back from its artists and its files."""

import ast
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from PIL import Image

import circuitsim as cs
import circuitsim.plots
from circuitsim.plots import KIND_COLOURS, draw
from circuitsim.plots.style import LINES
from motifs import sal
from tests.plots.figures import GALLERY, all_named, named
from tests.strategies import motifs

STREAM_KINDS = {("soma", "ascending"): "W", ("soma", "descending"): "Wt", ("dendrite", "ascending"): "V"}


@pytest.mark.parametrize("name", ["sal", "backprop", "direct", "bias", "several inputs", "deep direct"])
def test_every_projection_has_its_kinds_colour_and_its_plasticitys_line(name):
    motif = GALLERY[name]
    figure = draw(motif)
    drawn = all_named(figure, "projection:")
    assert {p.name for p in motif.projections} == {name for name in drawn if not name.startswith("legend")}
    for p in motif.projections:
        colour = KIND_COLOURS[STREAM_KINDS.get((p.target, motif.population(p.post).stream), "Vt")]
        assert to_hex(drawn[p.name].get_edgecolor()).upper() == colour
        state = "derived" if p.weight is not None else "plastic" if p.plastic and p.rule is not None else "fixed"
        assert drawn[p.name].get_linewidth() == LINES[state].width
        assert drawn[p.name].get_linestyle() == ("-" if state == "plastic" else (0.0, LINES[state].dashes))
        assert named(figure, f"label:{p.name}").get_text().startswith(p.name)


def test_heads_tell_compartment_and_stream():
    figure = draw(GALLERY["sal"])
    heads = {kind: named(figure, f"head:{kind}1") for kind in ("W", "Wt", "V", "Vt")}
    assert [type(heads[kind]) for kind in heads] == [Polygon, Polygon, Circle, Circle]
    assert len(heads["W"].get_xy()) < len(heads["Wt"].get_xy())  # barbed
    assert to_hex(heads["V"].get_facecolor()).upper() == KIND_COLOURS["V"]  # filled
    assert to_hex(heads["Vt"].get_facecolor()) == "#ffffff"  # hollow


def test_a_soma_head_touches_the_box_that_it_drives():
    figure = draw(GALLERY["sal"])
    tip = named(figure, "head:W1").get_xy()[0]
    box = named(figure, "population:up2").get_bbox()
    assert tip == pytest.approx([(box.x0 + box.x1) / 2, box.y0])


def test_a_tied_projection_names_its_source():
    figure = draw(GALLERY["backprop"])
    assert named(figure, "label:Wt1").get_text() == "Wt1 = W1ᵀ"
    assert named(figure, "label:V1").get_text() == "V1 = 1"
    motif = sal([4, 3, 2]).replace("V1", connectivity=cs.Random(0.25))
    motif = motif.replace("Vt1", rule=None, init=None, weight=cs.Derived("V1", transpose=True, scale=-2, sign=True))
    figure = draw(motif)
    assert named(figure, "label:V1").get_text() == "V1, 25%"
    assert named(figure, "label:Vt1").get_text() == "Vt1 = -2 sign(V1)ᵀ"


def test_populations_show_name_size_and_activation():
    figure = draw(GALLERY["backprop"])
    texts = {text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))}
    assert {"up1", "down3", "64 · input", "32", "10 · error", "32\n× slope up1", "loss\ncross-entropy"} <= texts
    relu = named(figure, "activation:up1").get_ydata()
    assert np.all(np.diff(relu[:20]) == 0) and np.all(np.diff(relu[20:]) > 0)
    assert set(np.round(np.diff(named(figure, "activation:up3").get_ydata()), 9)).__len__() == 1


def test_the_legend_explains_what_is_there_and_nothing_else():
    def said(name):
        return [text.get_text() for text in draw(GALLERY[name]).findobj(lambda a: a.get_gid() == "legend")]

    direct, bias = said("direct"), said("bias")
    assert [text.split(":")[0] for text in direct if ":" in text] == ["W", "V"]
    assert "plastic" in direct and "fixed" in direct and not any("tied" in text for text in direct)
    assert [text.split(":")[0] for text in bias if ":" in text] == ["W", "Wt", "V", "Vt"]
    assert "bias unit" in bias and any("tied" in text for text in said("backprop"))


@pytest.mark.parametrize("name", ["sal", "several inputs", "perceptron"])
def test_all_text_is_on_the_page_and_large(name):
    figure = draw(GALLERY[name], title="a title that is longer than the circuit is wide, " * 2)
    figure.draw_without_rendering()
    page = figure.bbox
    for text in figure.findobj(lambda a: hasattr(a, "get_text") and a.get_text()):
        extent = text.get_window_extent()
        assert page.x0 <= extent.x0 and extent.x1 <= page.x1 and page.y0 <= extent.y0 and extent.y1 <= page.y1
        assert text.get_size() >= 12


def test_text_fits_its_box():
    figure = draw(GALLERY["several inputs"])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for name, box in all_named(figure, "population:").items():
        extent = axes.transData.transform_bbox(box.get_bbox())
        (text,) = [t for t in axes.texts if t.get_text() == name and t.get_gid() is None]
        inner = text.get_window_extent()
        assert extent.x0 < inner.x0 and inner.x1 < extent.x1 and extent.y0 < inner.y0 and inner.y1 < extent.y1


def test_files_are_what_their_suffix_says(tmp_path):
    motif = GALLERY["sal"]
    paths = [tmp_path / "new" / "folder" / f"motif{suffix}" for suffix in (".png", ".svg", ".pdf")]
    figures = [draw(motif, path) for path in paths]
    assert isinstance(figures[0], Figure)
    with Image.open(paths[0]) as image:
        assert image.format == "PNG" and image.size[0] > 1200 and len(image.getcolors(1 << 24)) > 8
    root = ElementTree.parse(paths[1]).getroot()
    assert root.tag.endswith("svg") and {"projection:W0", "population:up1"} <= {e.get("id") for e in root.iter()}
    assert paths[2].read_bytes().startswith(b"%PDF")


def test_the_same_motif_gives_the_same_bytes(tmp_path):
    for suffix in (".png", ".svg"):
        a, b = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        draw(GALLERY["perceptron"], a)
        draw(GALLERY["perceptron"], str(b))
        assert a.read_bytes() == b.read_bytes()


def test_a_motif_draws_itself_and_a_notebook_shows_it():
    figure = GALLERY["perceptron"].draw(title="")
    assert named(figure, "title").get_text() == ""
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_faulty_arguments_say_what_there_is(tmp_path):
    with pytest.raises(cs.ParameterError, match="flow must be 'up', 'right' or None .got 'down'."):
        draw(GALLERY["sal"], flow="down")
    with pytest.raises(cs.ParameterError, match="motif.bmp': a picture's name must end with one of .png, .svg, .pdf"):
        draw(GALLERY["sal"], tmp_path / "motif.bmp")
    with pytest.raises(cs.MotifError, match="has no population"):
        draw(cs.Motif("empty"))


@settings(max_examples=4)
@given(motifs())
def test_any_sound_motif_can_be_drawn(motif):
    figure = draw(motif)
    assert {f"projection:{p.name}" for p in motif.projections} <= {a.get_gid() for a in figure.findobj()}
    figure.draw_without_rendering()


def test_no_module_of_the_room_imports_pyplot():
    folder = Path(circuitsim.plots.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert not any("pyplot" in name for name in names), file
