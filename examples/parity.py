"""What keeps SAL from SGD's level: circuits between the two that differ in one thing each.

    python examples/parity.py
    python examples/parity.py --dataset fashion_mnist --epochs 60
    python examples/parity.py --quick

Source: after Liao et al. (2024), arXiv 2412.20018, Table 1. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.parity import parity

if __name__ == "__main__":
    command(parity, "parity")
