"""Fit circuits to data, and evaluate them."""

from circuitsim.train.evaluate import evaluate
from circuitsim.train.fit import fit
from circuitsim.train.probe import Probe
from circuitsim.train.weight_probe import WeightProbe

__all__ = ["Probe", "WeightProbe", "evaluate", "fit"]
