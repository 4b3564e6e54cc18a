"""Heat tables: what is written and coloured is what was given."""

import matplotlib
import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plots import HeatColumn, heat_table
from tests.plots.figures import all_named, named

COLUMNS = [
    HeatColumn("minus SGD", 0.6, (-4, 4)),
    HeatColumn("cosines", 1.2, (0, 1), 2),
    HeatColumn("seeds", 0.5, None, 0),
]
ROWS = {
    "base": {"minus SGD": -2.0, "cosines": [0.5, -0.25, 1.0], "seeds": 5},
    "deep": {"minus SGD": None, "cosines": [np.nan]},
}


def table(**options):
    return heat_table([{"digits": [ROWS]}], COLUMNS, **options)


def test_numbers_stand_on_the_colour_of_their_value_and_several_share_a_field():
    figure = table(title="Grid", note="A note.")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"−2.0", ".50", "−.25", "1.00", "5", "base", "deep", "minus SGD", "Grid", "A note."} <= set(texts)
    field = named(figure, "digits:base:minus SGD:0")
    np.testing.assert_allclose(field.get_facecolor(), matplotlib.colormaps["RdBu"](0.25), atol=1e-6)
    parts = [named(figure, f"digits:base:cosines:{k}") for k in range(3)]
    lefts = np.array([part.get_x() for part in parts])
    np.testing.assert_allclose(np.diff(lefts), (1.2 - 0.04) / 3)
    assert named(figure, "digits:base:seeds:0").get_facecolor()[:3] == (1.0, 1.0, 1.0)


def test_missing_numbers_are_hatched_and_fields_that_are_not_asked_for_are_absent():
    figure = table(framed=[("digits", "base", "cosines")])
    for heading in ("minus SGD", "cosines"):
        assert named(figure, f"digits:deep:{heading}:0").get_hatch()
    assert not named(figure, "digits:base:minus SGD:0").get_hatch()
    assert set(all_named(figure, "digits:deep:")) == {"minus SGD:0", "cosines:0"}
    frames = [gid for gid in all_named(figure, "digits:") if gid.endswith(":frame")]
    assert frames == ["base:cosines:frame"]


def test_no_two_rows_or_tables_overlap():
    rows = {f"row {k}": {"seeds": k} for k in range(4)}
    figure = heat_table([{"a": [ROWS, rows], "b": [ROWS]}, {"c": [rows]}], COLUMNS)
    boxes = [artist.get_extents() for artist in figure.findobj() if str(artist.get_gid()).endswith(":0")]
    for k, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:k])
    width, height = figure.get_size_inches() * figure.dpi
    assert all(0 < box.x0 and box.x1 < width and 0 < box.y0 and box.y1 < height for box in boxes)


def test_unknown_headings_and_fields_and_empty_ones_are_refused():
    with pytest.raises(cs.ParameterError, match="table 'a', row 'x': no column 'y'"):
        heat_table([{"a": [{"x": {"y": 1.0}}]}], COLUMNS)
    with pytest.raises(cs.ParameterError, match="table 'a', row 'x': field 'cosines' has no numbers"):
        heat_table([{"a": [{"x": {"seeds": 5, "cosines": []}}]}, {"a": [{"x": {"seeds": 5, "cosines": 1}}]}], COLUMNS)
    for where in (("digits", "deep", "seeds"), ("digit", "base", "seeds")):
        with pytest.raises(
            cs.ParameterError, match=f"no field .title, label, heading. is .{where[0]!r}, {where[1]!r}, {where[2]!r}"
        ):
            table(framed=[where])
    with pytest.raises(cs.ParameterError, match="must not be empty"):
        heat_table([], COLUMNS)
