"""What a program needs to know about a motif in addition to its plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circuitsim.motif import Motif, Objective
from circuitsim.motif.state import lasting
from circuitsim.plan.build import synapses_of
from circuitsim.plan.instructions import Neurons, Scalar, Space
from circuitsim.plan.plan import Plan
from circuitsim.plan.quantities import BATCH_SIZE, neuron, synapse


@dataclass(frozen=True)
class Circuitry:
    """The parts of a circuit for which a program has registers.

    Args:
        name: the motif's name.
        sizes: the number of neurons of each population.
        parameters: the space of each rule parameter, keyed by names such as ``W0:eta``: a scalar or the synapses; also
            that of ``batch_size``, which is a scalar.
        states: the space of weights and states, keyed by names such as ``V1:w`` or ``up1.theta``.
        sampled: the value of each state per sample at the beginning of a step, keyed in the same way.
        judged: for each error population, the phase in which its objective is evaluated.
    """

    name: str
    sizes: Mapping[str, int]
    parameters: Mapping[str, Space]
    states: Mapping[str, Space]
    sampled: Mapping[str, float]
    judged: Mapping[str, str]


def circuitry_of(motif: Motif, plans: Sequence[Plan]) -> Circuitry:
    """Collect the parts of a valid motif.

    Args:
        motif: the declaration.
        plans: the plans of its phases.
    Returns:
        What `emit` needs in addition to the plans.
    Example:
        >>> from circuitsim.plan import build_plans, circuitry_of
        >>> from motifs import backprop
        >>> motif = backprop([4, 3, 2])
        >>> list(circuitry_of(motif, build_plans(motif)).states)
        ['W0:w', 'W1:w', 'V1:w', 'Vt1:w', 'V2:w']
    """
    parameters: dict[str, Space] = {BATCH_SIZE.name: Scalar()}
    states: dict[str, Space] = {}
    sampled: dict[str, float] = {}
    for p in motif.projections:
        space = synapses_of(motif, p)
        if p.tied_to is None:
            states[synapse("w", p.name).name] = space
        states |= {synapse(name, p.name).name: space for name in lasting(p.state)}
        sampled |= {synapse(name, p.name).name: float(s.start) for name, s in p.state.items() if s.per_sample}
        for name, value in p.rule.parameters.items() if p.rule is not None else ():
            parameters[synapse(name, p.name).name] = space if np.ndim(value) == 2 else Scalar()
    for population in motif.populations:
        own = population.state.items()
        states |= {neuron(name, population.name).name: Neurons(population.size) for name in lasting(population.state)}
        sampled |= {neuron(name, population.name).name: float(s.start) for name, s in own if s.per_sample}
    judged = {o.error: phase for o in motif.objectives if (phase := judging_phase(o, plans)) is not None}
    return Circuitry(motif.name, {p.name: p.size for p in motif.populations}, parameters, states, sampled, judged)


def judging_phase(o: Objective, plans: Sequence[Plan]) -> str | None:
    """Find the phase in which an objective is evaluated.

    It is the first phase with errors that drives the objective's output; failing that, the first phase with errors
    after a phase that drives it; failing that, the first phase with errors. None if no phase has errors.
    """
    found: dict[str, str] = {}
    was_driven = False
    for plan in plans:
        is_driven = plan.populations[o.output].source != "kept"
        was_driven = was_driven or is_driven
        if o in plan.objectives:
            found.setdefault("driven" if is_driven else "late" if was_driven else "never", plan.phase)
    return found.get("driven") or found.get("late") or found.get("never")
