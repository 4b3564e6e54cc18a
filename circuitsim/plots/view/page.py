"""The HTML page of a run, in one file."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from circuitsim import plots
from circuitsim.files import as_path, write_atomically
from circuitsim.plots.picture import inline_svg
from circuitsim.plots.view.page_data import data, shown_moments
from circuitsim.plots.view.run_folder import RunFolder, read_run

WIDE = 11.0  # inches; a wider drawing is placed above the weights rather than beside them


def write_page(run: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write a self-contained HTML page of a run folder, with its circuit, curves and weights over epochs.

    Args:
        run: the folder, as written by `circuitsim train` or examples/self_assembly.py. `read_run` says what a folder of
            your own needs.
        out: the path of the page; by default ``view.html`` in the folder.
    """
    folder = read_run(as_path(run))
    path = as_path(out) if out is not None else folder.path / "view.html"
    write_atomically(path, page(folder).encode())
    return path


def page(run: RunFolder) -> str:
    """The HTML, which includes its scripts and styles and forbids the browser to load anything else."""
    motif, assets = run.circuit.motif, files("circuitsim.plots.view")
    figure = plots.draw(motif, title="")
    width, _ = figure.get_size_inches()
    title = f"{motif.name}: {run.path.resolve().name}"
    return Template((assets / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        subtitle=html.escape(_subtitle(run)),
        configuration="".join(
            f"<tr><th scope=row>{html.escape(key)}</th><td>{html.escape(value)}</td></tr>"
            for key, value in _flat(run.configuration)
        ),
        circuit=inline_svg(figure),
        shape="wide" if width > WIDE else "upright",
        width=f"{width:.2f}in",
        style=(assets / "page.css").read_text(encoding="utf-8"),
        script=(assets / "page.js").read_text(encoding="utf-8"),
        # JSON that cannot close the script element around it
        data=json.dumps(data(run), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _subtitle(run: RunFolder) -> str:
    circuit, n = run.circuit, run.circuit.n_replicas
    neurons = sum(int(p.size) for p in circuit.motif.populations)
    many = f"replica {run.weights.replica} of {n} is shown in the matrices" if n > 1 else "one replica"
    moments, shown = len(run.weights.epochs), len(shown_moments(run.weights).epochs)
    many += f"; {shown} of {moments} recorded moments" if shown < moments else ""
    return f"motif {circuit.motif.name}, {neurons:,} neurons, {circuit.n_steps:,} steps; {many}"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of nested options, with dotted names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value)
