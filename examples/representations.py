"""Look at weights and activity before and after learning (Liao et al. 2024, arXiv 2412.20018, Figure 3).

python examples/representations.py --quick
python examples/representations.py --dataset svhn --out runs/representations
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.representations import representations

if __name__ == "__main__":
    command(representations, "representations")
