"""Figures of motifs, learning curves, self-assembly and weights. Only this package imports matplotlib.

Every function except `animation` returns a new `matplotlib.figure.Figure`, without pyplot, which may have a `title`. It
saves the figure where a `path` (.png, .svg or .pdf) says.
"""

from circuitsim.plots.dot_plots import census, dots
from circuitsim.plots.field_tiles import receptive_fields
from circuitsim.plots.heat_tables import HeatColumn, heat_table
from circuitsim.plots.line_plots import curves, dependence, spectra
from circuitsim.plots.motif_drawing import draw
from circuitsim.plots.self_assembly_figure import self_assembly
from circuitsim.plots.spikes_over_time import membranes, raster
from circuitsim.plots.style import KIND_COLOURS, kind_of
from circuitsim.plots.weight_animation import animation
from circuitsim.plots.weight_matrices import similarity, weights

__all__ = [
    "HeatColumn", "KIND_COLOURS", "animation", "census", "curves", "dependence", "dots", "draw", "heat_table",
    "kind_of", "membranes",
    "raster", "receptive_fields", "self_assembly", "similarity", "spectra", "weights",
]  # fmt: skip
