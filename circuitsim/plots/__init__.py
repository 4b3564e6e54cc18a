"""Pictures: the motif, learning curves, self-assembly, weights. The only room that imports matplotlib.

Every function but `animation` returns a `matplotlib.figure.Figure` of its own (pyplot is never touched) and saves it
where asked.
"""

from circuitsim.plots.animation import animation
from circuitsim.plots.curves import curves
from circuitsim.plots.dependence import dependence
from circuitsim.plots.drawing import draw
from circuitsim.plots.raster import raster
from circuitsim.plots.self_assembly import self_assembly
from circuitsim.plots.similarity import similarity
from circuitsim.plots.spectra import spectra
from circuitsim.plots.style import KIND_COLOURS, kind_of
from circuitsim.plots.weights import weights

__all__ = [
    "KIND_COLOURS", "animation", "curves", "dependence", "draw", "kind_of", "raster", "self_assembly", "similarity",
    "spectra", "weights",
]  # fmt: skip
