"""Check that every rule descends a loss of its own (Liao et al. 2024, arXiv 2412.20018, equations 10 to 12).

python examples/local_losses.py --quick
python examples/local_losses.py --dataset fashion_mnist --seeds 2 --out runs/local_losses
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.local_losses import local_losses

if __name__ == "__main__":
    command(local_losses, "local_losses")
