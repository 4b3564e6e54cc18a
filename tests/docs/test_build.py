"""The documentation builds without a warning, and says something of every public name."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import circuitsim as cs
import motifs
from circuitsim import analysis, export, plan, plots, rules

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "doctrees"),
               str(ROOT / "docs"), str(out / "html")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.fixture(scope="module")
def documented(site):
    """What can be linked to: names of objects."""
    content = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split()[0] for line in zlib.decompress(content).decode().splitlines()}


@pytest.mark.parametrize(
    "module", [cs, analysis, plots, export, rules, plan, motifs], ids=lambda module: module.__name__
)
def test_every_public_name_is_in_the_reference(documented, module):
    names = [name for name in module.__all__ if not name.startswith("__")]
    assert [
        n for n in names if f"{module.__name__}.{n}" not in documented and f"circuitsim.{n}" not in documented
    ] == []


def test_methods_are_there_too(documented):
    assert {"circuitsim.Circuit.step", "circuitsim.Motif.connect", "circuitsim.export.LIF.membrane"} <= documented


def test_every_page_and_notebook_is_built(site):
    pages = [path.relative_to(ROOT / "docs") for kind in ("md", "rst") for path in (ROOT / "docs").rglob(f"*.{kind}")]
    pages += [path.relative_to(ROOT) for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert len(pages) > 25
    assert [page for page in pages if not (site / page.with_suffix(".html")).is_file()] == []


def test_formulas_need_no_network(site):
    assert not any("cdn." in page.read_text() for page in site.rglob("*.html"))
