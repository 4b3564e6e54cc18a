"""Is the reciprocal four-synapse motif over-represented in an assembled, pruned connectome?

    python examples/motif_census.py
    python examples/motif_census.py --dataset fashion_mnist --seeds 3
    python examples/motif_census.py --quick

Source: Liao et al. (2024), arXiv 2412.20018. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.motif_census import motif_census

if __name__ == "__main__":
    command(motif_census, "motif_census")
