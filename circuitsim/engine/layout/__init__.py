"""Storage layouts of synapses, with one module for each."""

from circuitsim.engine.layout.base import Layout
from circuitsim.engine.layout.dense import DenseLayout
from circuitsim.engine.layout.one_to_one import OneToOneLayout
from circuitsim.engine.layout.sparse import SparseLayout

__all__ = ["DenseLayout", "Layout", "OneToOneLayout", "SparseLayout"]
