"""How synapses are stored: one file for each way."""

from circuitsim.engine.layout.base import Layout
from circuitsim.engine.layout.dense import DenseLayout
from circuitsim.engine.layout.one_to_one import OneToOneLayout

LAYOUTS: dict[str, type[Layout]] = {"dense": DenseLayout, "one_to_one": OneToOneLayout}

__all__ = ["LAYOUTS", "Layout"]
