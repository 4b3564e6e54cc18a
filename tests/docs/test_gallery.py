"""The gallery shows every example, by figures that are there and small."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text()


def test_every_example_has_its_command():
    examples = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert set(re.findall(r"^python examples/(\w+\.py)$", PAGE, re.M)) == examples


def test_figures_are_there_shown_and_small():
    shown = set(re.findall(r"\]\((figures/[^)]+)\)", PAGE))
    made = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs/figures/gallery").glob("*.png")}
    assert len(made) > 10 and made < shown
    for figure in shown:
        assert 5_000 < (ROOT / "docs" / figure).stat().st_size < 300_000, figure
