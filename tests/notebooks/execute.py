"""Run notebooks: as a test does, or `python -m tests.notebooks.execute [NAME ...]` to write their outputs anew."""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CELL_SECONDS = 280
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def execute(path: Path, folder: Path) -> Any:
    """The notebook with the outputs of a fresh kernel that works in `folder`.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell that is not tagged "raises-exception" fails.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env={k: v for k, v in os.environ.items() if k != "MPLBACKEND"})  # figures appear, as for a reader
    return tidy(notebook)


def tidy(notebook: Any) -> Any:
    """Without what differs from run to run: times, kernels, how printed text was cut into pieces."""
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            if output.output_type in ("display_data", "execute_result"):
                output.metadata = {}
                if "image/png" in output.data:
                    output.data = nbformat.from_dict({"image/png": _small(output.data["image/png"])})
    return notebook


def _small(png: str) -> str:
    """The picture with a palette of 128 colours, in base64."""
    picture = Image.open(BytesIO(base64.b64decode(png))).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    buffer = BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _joined(outputs: list[Any]) -> list[Any]:
    """Neighbouring pieces of one stream as one."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == "stream" and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def main(names: list[str]) -> None:
    """Write the outputs of the named notebooks, or of all."""
    for path in NOTEBOOKS:
        if not names or path.stem in names:
            with tempfile.TemporaryDirectory() as folder:
                nbformat.write(execute(path, Path(folder)), path)


if __name__ == "__main__":
    main(sys.argv[1:])
