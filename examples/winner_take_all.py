"""Competition among the synapses of V and Vt pairs the two streams one to one (section 3).

    python examples/winner_take_all.py
    python examples/winner_take_all.py --dataset fashion_mnist --seeds 3
    python examples/winner_take_all.py --quick

Source: Liao et al. (2024), arXiv 2412.20018. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.winner_take_all import winner_take_all

if __name__ == "__main__":
    command(winner_take_all, "winner_take_all")
