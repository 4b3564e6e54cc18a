"""Check Lemma 1, Theorem 1's stationarity and SAL's identity with direct Kolen-Pollack on a learning circuit.

python examples/theory.py --quick
python examples/theory.py --dataset fashion_mnist --seeds 3 --out runs/theory
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.theory import theory

if __name__ == "__main__":
    command(theory, "theory")
