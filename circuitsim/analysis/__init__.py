"""Numbers on a running circuit: alignment, theory, representations."""

from circuitsim.analysis.alignment import alignment
from circuitsim.analysis.census import Census, graph_census, square_census
from circuitsim.analysis.effective_rank import effective_rank
from circuitsim.analysis.gradient import loss_gradients

__all__ = ["Census", "alignment", "effective_rank", "graph_census", "loss_gradients", "square_census"]
