"""How wide must the descending stream be? (Figure 2)

    python examples/feedback_width.py
    python examples/feedback_width.py --dataset fashion_mnist --seeds 3
    python examples/feedback_width.py --quick

Source: Liao et al. (2024), arXiv 2412.20018. Writes table, report and figures into a run folder.
"""

from circuitsim.studies.experiment import command
from circuitsim.studies.feedback_width import feedback_width

if __name__ == "__main__":
    command(feedback_width, "feedback_width")
