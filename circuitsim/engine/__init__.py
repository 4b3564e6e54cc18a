"""Circuits on tensors: compilation, steps and synapses."""

from circuitsim.engine.circuit import Circuit, StepResult
from circuitsim.engine.compiler import BatchMeanWarning, SlowRuleWarning, UnreadParameterWarning, compile
from circuitsim.engine.loading import load_circuit
from circuitsim.engine.synapse import Synapse

__all__ = [
    "BatchMeanWarning", "Circuit", "SlowRuleWarning", "StepResult", "Synapse", "UnreadParameterWarning", "compile",
    "load_circuit",
]  # fmt: skip
