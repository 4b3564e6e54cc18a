"""The ratio of decay to drive that a rule declares."""

from __future__ import annotations

from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.rules.vocabulary import local


def decay_per_drive(circuit: Circuit, projection: str) -> float | Tensor | None:
    """gamma / eta of a rule of the form ``eta * drive - gamma * w`` (gamma where the decay is multiplied by eta).

    Returns:
        A number, or shape ``[replica]`` where replicas differ; None if the rule has not this form.
    """
    changes = circuit.plan.projections[projection].changes
    drive = [c for c in changes if c.moment is not None]
    decay = [c for c in changes if c.moment is None and c.weight == local("w")]
    if len(drive) != 1 or len(decay) != 1 or len(changes) != 2:
        return None
    ratio = -decay[0].coefficient / drive[0].coefficient
    value = circuit.evaluate(ratio)
    return value.flatten() if isinstance(value, Tensor) else value
