"""Data for circuits: samples in memory, mini-batches, and data sets that are loaded by name."""

from circuitsim.data.dataset import Dataset
from circuitsim.data.load import load_dataset
from circuitsim.data.split import Split, minibatches

__all__ = ["Dataset", "Split", "load_dataset", "minibatches"]
