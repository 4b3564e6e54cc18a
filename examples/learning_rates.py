"""Sweep the overall learning rate of SAL and SGD (Liao et al. 2024, arXiv 2412.20018, Figure 5).

python examples/learning_rates.py --quick
python examples/learning_rates.py --dataset cifar10 --epochs 20 --out runs/learning_rates
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.learning_rates import learning_rates

if __name__ == "__main__":
    command(learning_rates, "learning_rates")
