"""A slow second opinion: a declared motif, step by step, in NumPy float64.

It reads the declared values and the rule strings, with Python's `ast`, and nothing else of circuitsim: no
parser, no plan, no SymPy, no torch. What it computes is the text of the contract, not its implementation.
"""

from tests.oracle.circuit import Oracle, Result, declared_mask
from tests.oracle.condition import Condition, Diverged, Refused
from tests.oracle.language import ELEMENTWISE, Gated, evaluate, names_in, reductions
from tests.oracle.losses import LOSSES
from tests.oracle.noise import keyed_noise
from tests.oracle.slopes import NAMED, OF_DUAL, Dual, dual

__all__ = [
    "ELEMENTWISE",
    "LOSSES",
    "NAMED",
    "OF_DUAL",
    "Condition",
    "Diverged",
    "Dual",
    "Gated",
    "Oracle",
    "Refused",
    "Result",
    "declared_mask",
    "dual",
    "evaluate",
    "keyed_noise",
    "names_in",
    "reductions",
]
