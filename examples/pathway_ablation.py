"""Make each subset of the pathways plastic (Liao et al. 2024, arXiv 2412.20018, Figure 4).

python examples/pathway_ablation.py --quick
python examples/pathway_ablation.py --dataset cifar10 --out runs/pathway_ablation
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.pathway_ablation import pathway_ablation

if __name__ == "__main__":
    command(pathway_ablation, "pathway_ablation")
