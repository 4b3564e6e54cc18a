"""Export of circuits to other programs. Brian2 is imported only by an export to Brian2."""

from circuitsim.export.brian2 import (
    LIF,
    Cell,
    ContinuousNetwork,
    Delay,
    GradedReadout,
    IntegrateAndFire,
    MissingBrian2,
    OnOffPair,
    Poisson,
    RateNetwork,
    Recording,
    SaturationWarning,
    SignedIntegrateAndFire,
    SignedPoisson,
    SpikeTrain,
    Spiking,
    SpikingCell,
    SpikingNetwork,
    Stream,
    Trial,
    circuit_from_brian2,
    export_brian2,
)
from circuitsim.export.interchange import (
    LeftOutWarning,
    MissingPackage,
    read_connectome,
    read_edge_table,
    read_motif,
    read_nir,
    read_sonata,
    read_weights,
    write_connectome,
    write_motif,
    write_weights,
)

__all__ = [
    "Cell", "ContinuousNetwork", "Delay", "GradedReadout", "IntegrateAndFire", "LIF", "LeftOutWarning",
    "MissingBrian2", "MissingPackage", "OnOffPair", "Poisson", "RateNetwork", "Recording", "SaturationWarning",
    "SignedIntegrateAndFire", "SignedPoisson", "SpikeTrain", "Spiking", "SpikingCell", "SpikingNetwork", "Stream",
    "Trial", "circuit_from_brian2", "export_brian2", "read_connectome", "read_edge_table", "read_motif", "read_nir",
    "read_sonata", "read_weights", "write_connectome", "write_motif", "write_weights",
]  # fmt: skip
