"""Analyses of a circuit: alignment, predictions of the theory, representations, and motif counts."""

from circuitsim.analysis.census import Census, graph_census, square_census
from circuitsim.analysis.gradient import loss_gradients
from circuitsim.analysis.rank import effective_rank
from circuitsim.analysis.self_alignment import alignment

__all__ = ["Census", "alignment", "effective_rank", "graph_census", "loss_gradients", "square_census"]
