"""A circuit as a Brian2 network. No module here imports brian2 before something is exported."""

from circuitsim.export.brian2.export import MissingBrian2, export_brian2
from circuitsim.export.brian2.rate import RateNetwork
from circuitsim.export.brian2.read_back import circuit_from_brian2
from circuitsim.export.brian2.spiking.cells import (
    LIF,
    Cell,
    GradedReadout,
    IntegrateAndFire,
    OnOffPair,
    Poisson,
    SignedIntegrateAndFire,
    SignedPoisson,
    SpikingCell,
)
from circuitsim.export.brian2.spiking.model import Delay, Spiking, Stream
from circuitsim.export.brian2.spiking.network import SpikingNetwork
from circuitsim.export.brian2.spiking.trial import Trial

__all__ = [
    "Cell", "Delay", "GradedReadout", "IntegrateAndFire", "LIF", "MissingBrian2", "OnOffPair", "Poisson", "RateNetwork",
    "SignedIntegrateAndFire", "SignedPoisson", "Spiking", "SpikingCell", "SpikingNetwork", "Stream", "Trial",
    "circuit_from_brian2", "export_brian2",
]  # fmt: skip
