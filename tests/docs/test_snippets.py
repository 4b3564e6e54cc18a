"""The Python on every page runs as printed, in order, a page being one session.

A block that cannot run here says why in a comment above it, ``<!-- not run: why -->``. (README: tests/test_readme.py.
Notebooks: tests/notebooks.)
"""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n\s*)?```python\n(?P<code>.*?)```", re.S)
PAGES = {
    page.relative_to(DOCS).as_posix(): list(BLOCK.finditer(page.read_text()))
    for page in sorted(DOCS.rglob("*.md"))
    if page.parent.name != "notebooks"
}
NEEDED = {"how_to/read_other_files.md": ("h5py", "nir")}  # optional packages
SLOW = {"spiking.md": "compiles a C++ program and plays thousands of trials"}


def params():
    for page, blocks in PAGES.items():
        if blocks:
            yield pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])


@pytest.mark.parametrize("page", params())
def test_the_snippets_of_a_page_run(page, tmp_path, monkeypatch):
    for package in NEEDED.get(page, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for k, block in enumerate(PAGES[page]):
        if not block["why"]:
            exec(compile(block["code"], f"{page}, block {k + 1}", "exec"), namespace)


def test_pages_with_snippets_are_found():
    assert {"index.md", "rule_language.md", "distributed.md", "how_to/add_a_backend.md"} < set(PAGES)
    assert all(PAGES[page] for page in PAGES if page.startswith("how_to/"))
    assert sum(bool(block["why"]) for blocks in PAGES.values() for block in blocks) <= 1
