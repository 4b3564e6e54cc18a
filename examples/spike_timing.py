"""Does self-assembly need the ascending volley first? Lags, traces, jitter, conduction delays.

    python examples/spike_timing.py --seeds 3
    python examples/spike_timing.py --quick

Needs Brian2 (pip install 'circuitsim[spiking]') and, except for --quick, a C++ compiler. Source: Liao et al. (2024),
arXiv 2412.20018. Writes table, report and figures into a run folder; docs/spiking.md tells about the model.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.spike_timing import spike_timing

if __name__ == "__main__":
    command(spike_timing, "spike_timing")
