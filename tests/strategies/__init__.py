"""Hypothesis strategies: sound motifs of every kind, runs that fit them, rules that must be refused.

Structure is drawn by hypothesis, so that it shrinks; real numbers come from a seeded generator, since values that
are not round keep sums of different order away from the jumps of `sign`, `where` and comparisons.
"""

from tests.strategies.batches import batches
from tests.strategies.expressions import ACTIVATIONS, CONSTANT, GATED, PARAMETERS, SEEDS, SIZES, TRACES, expressions
from tests.strategies.malformed import MALFORMED, malformed_rules
from tests.strategies.motifs import motifs
from tests.strategies.phases import phases
from tests.strategies.rich import rich_motifs
from tests.strategies.runs import runs
from tests.strategies.timed import timed_motifs, timed_runs

__all__ = [
    "ACTIVATIONS",
    "CONSTANT",
    "GATED",
    "MALFORMED",
    "PARAMETERS",
    "SEEDS",
    "SIZES",
    "TRACES",
    "batches",
    "expressions",
    "malformed_rules",
    "motifs",
    "phases",
    "rich_motifs",
    "runs",
    "timed_motifs",
    "timed_runs",
]
