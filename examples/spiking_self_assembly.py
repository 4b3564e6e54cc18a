"""Self-assembly with spikes, through time, beside its controls.

    python examples/spiking_self_assembly.py --seeds 3
    python examples/spiking_self_assembly.py --quick

Needs Brian2 (pip install 'circuitsim[spiking]') and, except for --quick, a C++ compiler. Source: Liao et al. (2024),
arXiv 2412.20018. Writes table, report and figures into a run folder; docs/spiking.md tells about the model.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.spiking_self_assembly import spiking_self_assembly

if __name__ == "__main__":
    command(spiking_self_assembly, "spiking_self_assembly")
