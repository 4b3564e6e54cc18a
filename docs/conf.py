"""How Sphinx builds these pages: ``sphinx-build -W --keep-going docs OUT``."""

import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

from circuitsim import __version__

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "examples"))  # they are not installed
project, author, release = "circuitsim", "the circuitsim developers", __version__
copyright = "MIT license"

extensions = [
    "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "myst_nb", "sphinx_copybutton",
]  # fmt: skip
exclude_patterns = ["_build", "results"]
suppress_warnings = ["myst-nb.lexer"]  # a notebook that no kernel has touched does not say that it is Python

# Docstrings: Google's sections, as they are written in the code; `name` is code, and a link where it can be one.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # Args say what a thing is; the signature keeps names and defaults
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Class attributes"]

# Notebooks are committed with their outputs; tests/notebooks runs them. Sphinx wants its sources in one folder.
nb_execution_mode = "off"
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
shutil.copytree(HERE.parent / "notebooks", HERE / "notebooks", ignore=shutil.ignore_patterns(".*"))
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

highlight_language = "none"  # equations and circuits are no Python

html_math_renderer = "mathml"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = f"circuitsim {release}"
html_show_sourcelink = False
html_show_copyright = False


def expand_names(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make links of `cs.Motif` and the like in docstrings."""
    lines[:] = [line.replace("`cs.", "`circuitsim.") for line in lines]


def mathml(display: str) -> Any:
    """Formulas as MathML, which browsers read by themselves: no script, no network."""

    def visit(self: Any, node: nodes.Element) -> None:
        self.body.append(convert(node.astext(), display=display))
        raise nodes.SkipNode

    return visit, None


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", expand_names)
    app.add_html_math_renderer("mathml", mathml("inline"), mathml("block"))
