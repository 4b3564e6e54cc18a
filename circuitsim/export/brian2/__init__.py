"""A circuit as a Brian2 network. No module here imports brian2 before something is exported."""

from circuitsim.export.brian2.export import MissingBrian2, export_brian2
from circuitsim.export.brian2.rate import RateNetwork

__all__ = ["MissingBrian2", "RateNetwork", "export_brian2"]
