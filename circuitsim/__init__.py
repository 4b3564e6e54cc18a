"""circuitsim: neural circuits with explicit plastic synapses and local rules."""

from circuitsim._version import __version__
from circuitsim.analysis import alignment, effective_rank, loss_gradients
from circuitsim.data import Dataset, Split, load_dataset, minibatches
from circuitsim.engine import Circuit, SlowRuleWarning, StepResult, Synapse, compile, load_circuit
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
from circuitsim.train import Probe, evaluate, fit

__all__ = [  # noqa: PLE0604
    "AnalysisError", "ArchiveError", "Circuit", "CircuitError", "DataError", "Dataset", "History", "MotifError",
    "ParameterError", "Probe",
    "RuleError", "SimulationDiverged", "SlowRuleWarning", "Split", "StepResult", "Synapse", "__version__",
    "alignment", "compile", "effective_rank", "evaluate", "fit", "load_circuit", "load_dataset", "loss_gradients", "minibatches", *_motif_names,
]  # fmt: skip
