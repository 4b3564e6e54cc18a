"""The descending stream lowers the loss of the very input that it has just seen (section 2.3).

    python examples/short_term_modulation.py
    python examples/short_term_modulation.py --dataset fashion_mnist --seeds 3
    python examples/short_term_modulation.py --quick

Source: Liao et al. (2024), arXiv 2412.20018. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.short_term_modulation import short_term_modulation

if __name__ == "__main__":
    command(short_term_modulation, "short_term_modulation")
