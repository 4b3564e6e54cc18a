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
from circuitsim.export import (
    circuit_from_brian2,
    export_brian2,
    read_connectome,
    read_motif,
    read_weights,
    write_connectome,
    write_motif,
    write_weights,
)
from circuitsim.history import History
from circuitsim.motif import (
    All,
    Bias,
    Constant,
    Derived,
    Edges,
    GatedBy,
    Gaussian,
    Given,
    Identity,
    Mask,
    Motif,
    Objective,
    OneToOne,
    Phase,
    Population,
    Projection,
    Random,
    ReciprocalOf,
    Rule,
    Signal,
    State,
    Uniform,
)
from circuitsim.train import Probe, WeightProbe, evaluate, fit
from circuitsim.weight_history import WeightHistory

__all__ = [
    # declare
    "All", "Bias", "Constant", "Derived", "Edges", "GatedBy", "Gaussian", "Given", "Identity", "Mask", "Motif",
    "Objective", "OneToOne", "Phase", "Population", "Projection", "Random", "ReciprocalOf", "Rule", "Signal", "State",
    "Uniform",
    # run
    "Circuit", "StepResult", "Synapse", "compile", "load_circuit",
    # data and learning
    "Dataset", "History", "Probe", "Split", "WeightHistory", "WeightProbe", "evaluate", "fit", "load_dataset",
    "minibatches",
    # analyse
    "alignment", "effective_rank", "loss_gradients",
    # export
    "circuit_from_brian2", "export_brian2", "read_connectome", "read_motif", "read_weights", "write_connectome",
    "write_motif", "write_weights",
    # errors and warnings
    "AnalysisError", "ArchiveError", "CircuitError", "DataError", "MotifError", "ParameterError", "RuleError",
    "SimulationDiverged", "SlowRuleWarning",
    "__version__",
]  # fmt: skip
