"""Export of a circuit as a Brian2 network. Modules here import brian2 only during an export."""

from circuitsim.export.brian2.export import MissingBrian2, export_brian2
from circuitsim.export.brian2.exported import circuit_from_brian2
from circuitsim.export.brian2.rate import RateNetwork
from circuitsim.export.brian2.spiking.cells import (
    LIF,
    Cell,
    GradedReadout,
    IntegrateAndFire,
    OnOffPair,
    Poisson,
    SignedIntegrateAndFire,
    SignedPoisson,
    SpikeTrain,
    SpikingCell,
)
from circuitsim.export.brian2.spiking.continuous import ContinuousNetwork
from circuitsim.export.brian2.spiking.model import Delay, Spiking, Stream, Trial
from circuitsim.export.brian2.spiking.network import SpikingNetwork
from circuitsim.export.brian2.spiking.recording import Recording
from circuitsim.export.brian2.spiking.saturation import SaturationWarning

__all__ = [
    "Cell", "ContinuousNetwork", "Delay", "GradedReadout", "IntegrateAndFire", "LIF", "MissingBrian2", "OnOffPair",
    "Poisson", "RateNetwork", "Recording", "SaturationWarning", "SignedIntegrateAndFire", "SignedPoisson",
    "SpikeTrain", "Spiking", "SpikingCell", "SpikingNetwork", "Stream", "Trial", "circuit_from_brian2",
    "export_brian2",
]  # fmt: skip
