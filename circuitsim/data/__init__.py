"""Data for circuits: arrays in memory, mini-batches of them, and data sets by name."""

from circuitsim.data.batching import minibatches
from circuitsim.data.dataset import Dataset
from circuitsim.data.load import load_dataset
from circuitsim.data.split import Split

__all__ = ["Dataset", "Split", "load_dataset", "minibatches"]
