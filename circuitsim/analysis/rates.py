"""The ratio of the decay rate to the learning rate of a rule."""

from __future__ import annotations

from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.plan.quantities import BATCH_SIZE, synapse
from circuitsim.rules import Term


def decay_per_drive(circuit: Circuit, projection: str) -> float | Tensor | None:
    """Return gamma / eta for a rule ``eta * drive - gamma * w``, and gamma for ``eta * (drive - gamma * w)``.

    Returns:
        A number, or a tensor ``[replica]`` if the replicas differ; None if the rule does not have this form.
    """
    rule = circuit.plan.projections[projection].rule
    terms = rule.terms if rule is not None else ()
    drive = [t for t in terms if isinstance(t, Term) and t.has_data]
    decay = [t for t in terms if isinstance(t, Term) and not t.has_data and t.weight == synapse("w", projection)]
    if len(drive) != 1 or len(decay) != 1 or len(terms) != 2:
        return None
    ratio = -decay[0].coefficient / drive[0].coefficient
    if BATCH_SIZE in ratio.free_symbols:  # the ratio is not a constant of the rule
        return None
    value = circuit.value(ratio)
    return value.flatten() if isinstance(value, Tensor) else value
