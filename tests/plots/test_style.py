"""Colours and lines that all pictures share."""

import itertools

import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import circuitsim as cs
from circuitsim.plots import KIND_COLOURS, kind_of
from circuitsim.plots.diagram.shapes import FILLS
from circuitsim.plots.style import LINES, luma, plasticity_of
from tests.plots.figures import HEBB, several_inputs

OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}


def grey(colour):
    """What Pillow makes of the colour in a grey copy."""
    pixel = tuple(round(255 * part) for part in to_rgb(colour))
    return Image.new("RGB", (1, 1), pixel).convert("L").getpixel((0, 0))


def test_the_four_colours_are_okabe_and_itos_and_differ_in_a_grey_copy():
    assert set(KIND_COLOURS) == {"W", "Wt", "V", "Vt"} and set(KIND_COLOURS.values()) <= OKABE_ITO
    for a, b in itertools.combinations(KIND_COLOURS.values(), 2):
        assert abs(grey(a) - grey(b)) >= 30
    assert all(grey(colour) <= 160 for colour in KIND_COLOURS.values())  # and stand out from white


def test_populations_differ_in_a_grey_copy_too():
    assert sorted(FILLS, key=lambda fill: -grey(FILLS[fill])) == ["ascending", "descending", "error"]
    assert min(abs(grey(a) - grey(b)) for a, b in itertools.combinations(FILLS.values(), 2)) >= 10


def test_luma_is_pillows():
    assert [round(luma(c)) for c in KIND_COLOURS.values()] == [grey(c) for c in KIND_COLOURS.values()]


def test_a_kind_is_a_compartment_and_a_stream():
    motif = several_inputs()
    kinds = {
        "W": ["W0", "S1", "S2"],
        "Wt": ["Wt3", "Wta", "Wt1"],
        "V": ["V1", "V4", "lateral", "own"],
        "Vt": ["Vt1", "Q"],
    }
    assert {kind: [kind_of(motif, name) for name in names] for kind, names in kinds.items()} == {
        kind: [kind] * len(names) for kind, names in kinds.items()
    }


def test_an_unknown_projection_is_told_the_known_ones():
    with pytest.raises(cs.ParameterError, match="'several_inputs' has no projection 'V9' .known: W0, W1, W2.*Va.$"):
        kind_of(several_inputs(), "V9")


def test_a_tie_comes_before_plasticity_and_a_rule_may_be_frozen():
    of = lambda **options: plasticity_of(cs.Projection("W", "x", "y", **options))  # noqa: E731
    assert of(rule=HEBB) == "plastic" and of() == "fixed" and of(rule=HEBB, plastic=False) == "fixed"
    assert of(weight=cs.Derived("V")) == "derived"


def test_plastic_is_thick_and_solid_fixed_thin_and_dashed_tied_dotted():
    plastic, fixed, derived = (LINES[state] for state in ("plastic", "fixed", "derived"))
    assert plastic.linestyle == "-" and plastic.width >= 2 * fixed.width
    assert fixed.dashes[0] > 3 * fixed.width > derived.dashes[0]
