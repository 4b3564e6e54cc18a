"""A rate circuit, trained, then run as spikes without plasticity.

    python examples/spiking_conversion.py --dataset fashion_mnist --seeds 3
    python examples/spiking_conversion.py --quick

Needs Brian2 (pip install 'circuitsim[spiking]') and, except for --quick, a C++ compiler. The circuit is that of Liao et
al. (2024), arXiv 2412.20018. Writes table and report into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.spiking_conversion import spiking_conversion

if __name__ == "__main__":
    command(spiking_conversion, "spiking_conversion")
