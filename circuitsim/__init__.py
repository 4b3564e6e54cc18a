"""circuitsim: neural circuits with explicit plastic synapses and local rules.

Declaring a motif takes no torch. What runs, analyses, draws or exports it is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

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
    UnscaledInputWarning,
)
from circuitsim.history import History
from circuitsim.motif import (
    All,
    Bias,
    Constant,
    Derived,
    DistanceDependent,
    Edges,
    GatedBy,
    Gaussian,
    Given,
    Identity,
    Local,
    Mask,
    Motif,
    Objective,
    OneToOne,
    Phase,
    Population,
    Projection,
    Random,
    ReciprocalOf,
    Rewiring,
    Rule,
    Signal,
    State,
    TransposeOf,
    Uniform,
)

if TYPE_CHECKING:  # for type checkers; `__getattr__` does it at run time
    from circuitsim import analysis as analysis
    from circuitsim import export as export
    from circuitsim import plots as plots
    from circuitsim.analysis import alignment, effective_rank, loss_gradients
    from circuitsim.data import Dataset, Split, load_dataset, minibatches
    from circuitsim.engine import (
        BatchMeanWarning,
        Circuit,
        SlowRuleWarning,
        StepResult,
        Synapse,
        UnreadParameterWarning,
        compile,
        load_circuit,
    )
    from circuitsim.export import (
        circuit_from_brian2,
        export_brian2,
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
    from circuitsim.plots import draw
    from circuitsim.train import Probe, WeightProbe, evaluate, fit
    from circuitsim.weight_history import WeightHistory

__all__ = [
    # declare
    "All", "Bias", "Constant", "Derived", "DistanceDependent", "Edges", "GatedBy", "Gaussian", "Given", "Identity",
    "Local", "Mask", "Motif", "Objective", "OneToOne", "Phase", "Population", "Projection", "Random",
    "ReciprocalOf", "Rewiring", "Rule", "Signal", "State", "TransposeOf",
    "Uniform",
    # run
    "Circuit", "StepResult", "Synapse", "compile", "load_circuit",
    # data and learning
    "Dataset", "History", "Probe", "Split", "WeightHistory", "WeightProbe", "evaluate", "fit", "load_dataset",
    "minibatches",
    # analyse and draw
    "alignment", "draw", "effective_rank", "loss_gradients",
    # export
    "circuit_from_brian2", "export_brian2", "read_connectome", "read_edge_table", "read_motif", "read_nir",
    "read_sonata", "read_weights", "write_connectome", "write_motif", "write_weights",
    # errors and warnings
    "AnalysisError", "ArchiveError", "CircuitError", "DataError", "MotifError", "ParameterError", "RuleError",
    "BatchMeanWarning", "SimulationDiverged", "SlowRuleWarning", "UnreadParameterWarning", "UnscaledInputWarning",
    "__version__",
]  # fmt: skip

_LATE = {
    "analysis": ("alignment", "effective_rank", "loss_gradients"),
    "data": ("Dataset", "Split", "load_dataset", "minibatches"),
    "engine": (
        "BatchMeanWarning", "Circuit", "SlowRuleWarning", "StepResult", "Synapse", "UnreadParameterWarning",
        "compile", "load_circuit",
    ),
    "export": (
        "circuit_from_brian2", "export_brian2", "read_connectome", "read_edge_table", "read_motif", "read_nir",
        "read_sonata", "read_weights", "write_connectome", "write_motif", "write_weights",
    ),
    "plots": ("draw",),
    "train": ("Probe", "WeightProbe", "evaluate", "fit"),
    "weight_history": ("WeightHistory",),
}  # fmt: skip
_HOMES = {name: module for module, names in _LATE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a package, or a name from its package, when it is first asked for (PEP 562)."""
    if name not in _LATE and name not in _HOMES:
        raise AttributeError(f"module 'circuitsim' has no attribute {name!r}")
    module = importlib.import_module(f"circuitsim.{_HOMES.get(name, name)}")
    return module if name in _LATE else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE, *_HOMES})
