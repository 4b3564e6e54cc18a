"""Colours and lines that all pictures share."""

import itertools

import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_rgb
from PIL import Image

import circuitsim as cs
from circuitsim.plots import KIND_COLOURS, kind_of
from circuitsim.plots.style import FILLS, LINES, RUN_COLOURS, RUN_LINES, colour_table, kind_of_name, plasticity_of
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


def seen(colour, deficiency):
    """The colour as someone without one sort of cones sees it (Machado et al. 2009), sRGB from 0 to 1."""
    space = {"name": "sRGB1+CVD", "cvd_type": deficiency, "severity": 100}
    return cspace_convert(to_rgb(colour), space, "sRGB1").clip(0, 1)


DEFICIENCIES = ("deuteranomaly", "protanomaly", "tritanomaly")


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_four_colours_are_far_apart_for_colour_blind_readers(deficiency):
    for a, b in itertools.combinations(KIND_COLOURS.values(), 2):
        assert deltaE(seen(a, deficiency), seen(b, deficiency)) > 20  # CAM02-UCS; 1 is just visible
    for a, b in itertools.combinations(RUN_COLOURS, 2):
        assert deltaE(seen(a, deficiency), seen(b, deficiency)) > 10


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_positive_and_negative_weights_differ_for_colour_blind_readers(deficiency):
    table = colour_table(255)
    for k in (0, 32, 64, 96):
        assert deltaE(seen(table[k], deficiency), seen(table[-1 - k], deficiency)) > 15
        assert deltaE(seen(table[k], deficiency), seen(table[127], deficiency)) > 5


def test_two_runs_differ_by_line_or_in_a_grey_copy():
    styles = [(colour, RUN_LINES[k % len(RUN_LINES)]) for k, colour in enumerate(RUN_COLOURS)]
    for (a, one), (b, other) in itertools.combinations(styles, 2):
        assert one != other or abs(grey(a) - grey(b)) >= 30


def test_a_name_of_the_papers_form_has_a_kind():
    names = {"W0": "W", "Wt2": "Wt", "V1": "V", "Vt1ᵀ": "Vt", "V": "V", "E": None, "lateral": None, "W1 Vt1ᵀ": None}
    assert {name: kind_of_name(name) for name in names} == names


def test_populations_differ_in_a_grey_copy_too():
    assert sorted(FILLS, key=lambda fill: -grey(FILLS[fill])) == ["ascending", "descending", "error"]
    assert min(abs(grey(a) - grey(b)) for a, b in itertools.combinations(FILLS.values(), 2)) >= 10


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
    assert of(tied_to=cs.Derived("V")) == "derived"


def test_plastic_is_thick_and_solid_fixed_thin_and_dashed_tied_dotted():
    plastic, fixed, derived = (LINES[state] for state in ("plastic", "fixed", "derived"))
    assert plastic.linestyle == "-" and plastic.width >= 2 * fixed.width
    assert fixed.dashes[0] > 3 * fixed.width > derived.dashes[0]
