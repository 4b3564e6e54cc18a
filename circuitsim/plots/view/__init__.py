"""A self-contained HTML page of a run: its circuit, curves and weights over epochs. No server or network is needed.

The page is our own rather than a plotting library's, because the drawing is linked to the weights: a click on a
projection opens its matrix, and pointing at a synapse shows its weight, rule and history. A library would replace the
charts, some 70 lines of page.js, and add megabytes to every file (plotly.js: 4.8 MB; a page here: about 0.15 MB).
"""

from circuitsim.plots.view.page import write_page

__all__ = ["write_page"]
