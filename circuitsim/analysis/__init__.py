"""Numbers on a running circuit: alignment, theory, representations."""

from circuitsim.analysis.alignment import alignment
from circuitsim.analysis.effective_rank import effective_rank
from circuitsim.analysis.gradient import loss_gradients

__all__ = ["alignment", "effective_rank", "loss_gradients"]
