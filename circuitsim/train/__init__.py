"""Fit circuits to data, and evaluate them."""

from circuitsim.train.evaluate import evaluate
from circuitsim.train.fit import fit
from circuitsim.train.probe import Probe

__all__ = ["Probe", "evaluate", "fit"]
