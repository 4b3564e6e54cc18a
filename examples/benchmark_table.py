"""SGD, its biologically plausible rivals, and SAL with and without the gate, beside the paper's Table 1.

    python examples/benchmark_table.py
    python examples/benchmark_table.py --dataset fashion_mnist --seeds 3
    python examples/benchmark_table.py --quick

Source: Liao et al. (2024), arXiv 2412.20018. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.benchmark_table import benchmark_table
from circuitsim.studies.experiment import command

if __name__ == "__main__":
    command(benchmark_table, "benchmark_table")
