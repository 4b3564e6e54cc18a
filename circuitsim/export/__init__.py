"""A circuit for other programs. Brian2 is imported only when something is exported to it."""

from circuitsim.export.brian2 import (
    LIF,
    Cell,
    Delay,
    GradedReadout,
    IntegrateAndFire,
    MissingBrian2,
    OnOffPair,
    Poisson,
    RateNetwork,
    SignedIntegrateAndFire,
    SignedPoisson,
    Spiking,
    SpikingCell,
    SpikingNetwork,
    Stream,
    Trial,
    circuit_from_brian2,
    export_brian2,
)
from circuitsim.export.interchange import (
    read_connectome,
    read_motif,
    read_weights,
    write_connectome,
    write_motif,
    write_weights,
)

__all__ = [
    "Cell", "Delay", "GradedReadout", "IntegrateAndFire", "LIF", "MissingBrian2", "OnOffPair", "Poisson", "RateNetwork",
    "SignedIntegrateAndFire", "SignedPoisson", "Spiking", "SpikingCell", "SpikingNetwork", "Stream", "Trial",
    "circuit_from_brian2", "export_brian2", "read_connectome", "read_motif", "read_weights", "write_connectome",
    "write_motif", "write_weights",
]  # fmt: skip
