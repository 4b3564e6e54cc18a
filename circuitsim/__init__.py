"""circuitsim: neural circuits with explicit plastic synapses and local rules."""

from circuitsim._version import __version__
from circuitsim.errors import (
    AnalysisError,
    ArchiveError,
    CircuitError,
    DataError,
    MotifError,
    ParameterError,
    RuleError,
    SimulationDiverged,
)
from circuitsim.history import History
from circuitsim.motif import *  # noqa: F403
from circuitsim.motif import __all__ as _motif_names

__all__ = [  # noqa: PLE0604
    "AnalysisError", "ArchiveError", "CircuitError", "DataError", "History", "MotifError", "ParameterError",
    "RuleError", "SimulationDiverged", "__version__", *_motif_names,
]  # fmt: skip
