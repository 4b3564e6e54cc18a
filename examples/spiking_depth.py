"""Self-assembly with spikes in circuits with two and with three hidden layers.

    python examples/spiking_depth.py --seeds 3
    python examples/spiking_depth.py --quick

Needs Brian2 (pip install 'circuitsim[spiking]') and, except for --quick, a C++ compiler. Source: Liao et al. (2024),
arXiv 2412.20018. Writes table, report and figures into a run folder; docs/spiking.md tells about the model.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.spiking_depth import spiking_depth

if __name__ == "__main__":
    command(spiking_depth, "spiking_depth")
