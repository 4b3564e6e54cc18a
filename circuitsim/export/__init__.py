"""Export of circuits to other programs. Brian2 is imported only by an export to Brian2."""

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
from circuitsim.export.interchange.connectome_file import read_connectome, write_connectome
from circuitsim.export.interchange.edge_table import read_edge_table
from circuitsim.export.interchange.graph_file import MissingPackage
from circuitsim.export.interchange.motif_file import read_motif, write_motif
from circuitsim.export.interchange.nir_file import LeftOutWarning, read_nir
from circuitsim.export.interchange.sonata import read_sonata
from circuitsim.export.interchange.weight_file import read_weights, write_weights

__all__ = [
    "Cell", "ContinuousNetwork", "Delay", "GradedReadout", "IntegrateAndFire", "LIF", "LeftOutWarning",
    "MissingBrian2", "MissingPackage", "OnOffPair", "Poisson", "RateNetwork", "Recording", "SaturationWarning",
    "SignedIntegrateAndFire", "SignedPoisson", "SpikeTrain", "Spiking", "SpikingCell", "SpikingNetwork", "Stream",
    "Trial", "circuit_from_brian2", "export_brian2", "read_connectome", "read_edge_table", "read_motif", "read_nir",
    "read_sonata", "read_weights", "write_connectome", "write_motif", "write_weights",
]  # fmt: skip
