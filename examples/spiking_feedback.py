"""Spikes that learn Fashion-MNIST, with assembled feedback and with feedback that is frozen at random.

    python examples/spiking_feedback.py --dataset fashion_mnist --seeds 3
    python examples/spiking_feedback.py --quick

Needs Brian2 (pip install 'circuitsim[spiking]') and, except for --quick, a C++ compiler. Source: Liao et al. (2024),
arXiv 2412.20018. Writes table, report and figures into a run folder; docs/spiking.md tells about the model.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.spiking_feedback import spiking_feedback

if __name__ == "__main__":
    command(spiking_feedback, "spiking_feedback")
