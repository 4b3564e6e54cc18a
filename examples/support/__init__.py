"""Shared code of the experiments: a `Study` trains its `Condition`s on a `Setup` and collects a `Result` for each."""

from support.panel import Panel
from support.result import ALIGNMENT, Result, hidden_sites, weights_of
from support.setup import Setup
from support.statistics import compared, deviations, finite, interval, mean, mean_and_spread, versus
from support.study import Study
from support.trainer import Condition

__all__ = [
    "ALIGNMENT", "Condition", "Panel", "Result", "Setup", "Study", "compared", "deviations", "finite", "hidden_sites",
    "interval", "mean", "mean_and_spread", "versus", "weights_of",
]  # fmt: skip
