"""Every notebook runs, and says what its committed outputs say."""

import re

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.notebooks.execute import NOTEBOOKS, execute

MAX_BYTES = 300_000
QUICKEST = ("01", "03")  # the others run behind the slow marker
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
RELATIVE, ABSOLUTE = 0.1, 0.03  # float32 sums round differently from machine to machine, and learning amplifies it

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell):
    """What a cell prints and shows as text."""
    found = [output.text for output in cell.outputs if output.output_type == "stream"]
    return "\n".join(found + [output.data.get("text/plain", "") for output in cell.outputs if "data" in output])


def is_tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def differences(cell, again):
    """Numbers that are not reproduced, or all of the text where it differs in more than its numbers."""
    before, after = texts(cell), texts(again)
    if is_tagged(cell, "varies"):  # what hangs on the last bit, such as when a replica runs away
        return []
    if NUMBER.sub("#", before).split() != NUMBER.sub("#", after).split():
        return [(before, after)]
    pairs = [(float(a), float(b)) for a, b in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)]
    return [(a, b) for a, b in pairs if not abs(a - b) <= ABSOLUTE + RELATIVE * max(abs(a), abs(b))]


def test_there_are_eight_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"0{k}" for k in range(1, 9)]


@by_name
def test_a_notebook_is_committed_with_outputs_that_are_small_and_clean(path):
    assert path.stat().st_size < MAX_BYTES
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "not run from top to bottom"
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) >= 2
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error" or is_tagged(cell, "raises-exception"), output.get("evalue")
            assert output.get("name") != "stderr", output.text
        assert not re.search(r"Traceback|/(home|root|work|Users|tmp)/|0x[0-9a-f]{6}", texts(cell))


@by_name
def test_every_file_that_a_notebook_names_is_there(path):
    prose = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    named = [path.parent.parent / name for name in re.findall(r"`((?:docs|examples|motifs)/\w+\.\w+)`", prose)]
    linked = [path.parent / name for name in re.findall(r"\]\((\w+\.ipynb)\)", prose)]
    assert named + linked
    assert [name for name in named + linked if not name.exists()] == []


def runs(path):
    return pytest.param(path, id=path.stem, marks=[] if path.stem[:2] in QUICKEST else [pytest.mark.slow])


@pytest.mark.parametrize("path", [*map(runs, NOTEBOOKS)])
def test_a_notebook_runs_and_says_what_it_says(path, tmp_path):
    try:
        again = execute(path, tmp_path)
    except CellExecutionError as error:
        pytest.fail(str(error))
    pairs = zip(code_cells(nbformat.read(path, as_version=4)), code_cells(again), strict=True)
    wrong = {cell.execution_count: found for cell, new in pairs if (found := differences(cell, new))}
    assert wrong == {}, "python -m tests.notebooks.execute writes outputs anew"
