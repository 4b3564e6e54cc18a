"""Fitting circuits to data, and evaluating them."""

from circuitsim.train.evaluation import evaluate
from circuitsim.train.fitting import fit
from circuitsim.train.probe import Probe
from circuitsim.train.weight_probe import WeightProbe

__all__ = ["Probe", "WeightProbe", "evaluate", "fit"]
