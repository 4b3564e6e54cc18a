"""Plan -> tensors: the circuit, its step, its synapses."""

from circuitsim.engine.archive import load_circuit
from circuitsim.engine.circuit import Circuit, StepResult
from circuitsim.engine.compile import SlowRuleWarning, compile
from circuitsim.engine.synapse import Synapse

__all__ = ["Circuit", "SlowRuleWarning", "StepResult", "Synapse", "compile", "load_circuit"]
