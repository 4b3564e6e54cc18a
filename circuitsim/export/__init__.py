"""A circuit for other programs. Brian2 is imported only when something is exported to it."""

from circuitsim.export.brian2 import MissingBrian2, RateNetwork, export_brian2

__all__ = ["MissingBrian2", "RateNetwork", "export_brian2"]
