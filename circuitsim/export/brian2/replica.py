"""What is exported: one replica of a circuit as plans and NumPy arrays, and its phases."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.parts import Values
from circuitsim.motif import Motif, Population, Projection
from circuitsim.motif.checks import index
from circuitsim.plan import Plan, build_plans

WEIGHT = "w"


@dataclass(frozen=True)
class Replica:
    """The state of one replica. Arrays of synapses have the shape ``[post, pre]``, and are keyed by projection."""

    motif: Motif
    seed: int
    plans: tuple[Plan, ...]  # what a step computes, with one plan for each phase
    weights: Mapping[str, np.ndarray]
    masks: Mapping[str, np.ndarray]
    # numbers or arrays, keyed by projection and then by name; every `eta` is multiplied by the circuit's `eta_scale`
    parameters: Mapping[str, Mapping[str, Values]]
    states: Mapping[str, Mapping[str, np.ndarray]]  # keyed by population or projection, and then by name

    @property
    def plan(self) -> Plan:
        """The plan of the first phase, which is the only one unless phases are declared."""
        return self.plans[0]

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """The phases of a step, in order."""
        changed = {p.name for plan in self.plans for p in plan.plastic()}
        changing = frozenset(
            p.name for p in self.motif.projections if (p.tied_to.projection if p.tied_to else p.name) in changed
        )
        return tuple(
            Cycle(self, phase.name, plan, f"_{phase.name}" if len(self.plans) > 1 else "", changing)
            for phase, plan in zip(self.motif.phases, self.plans, strict=True)
        )

    @classmethod
    def of(cls, circuit: Circuit, replica: int) -> Replica:
        """Read one replica of a circuit, unless it is pinned to a snapshot and does not follow the plan."""
        replica = index("replica", replica, circuit.n_replicas)
        if replica in circuit.pinned:
            raise CircuitError(
                f"replica {replica} is pinned to a snapshot, so its weights do not change; "
                "release it with circuit.release_replica, or export another replica"
            )
        names = [p.name for p in circuit.motif.projections]
        plastic = dict.fromkeys(p.name for plan in circuit.plans for p in plan.plastic())
        return cls(
            circuit.motif,
            circuit.seeds[replica],
            circuit.plans,
            {name: _array(circuit.weights(name)[replica]).astype(float) for name in names},
            {name: _array(circuit.mask(name)[replica]) for name in names},
            {name: _parameters(circuit, name, replica) for name in plastic},
            {p.name: _states(circuit, p, replica, "population") for p in circuit.motif.populations}
            | {p.name: _states(circuit, p, replica, "projection") for p in circuit.motif.projections},
        )

    def declaring(self, motif: Motif) -> Replica:
        """The same synapses and weights, with the rules and states of a valid motif that no circuit can compile, from
        which `without_spikes` made this replica's."""
        plans = build_plans(motif)
        plastic = dict.fromkeys(p.name for plan in plans for p in plan.plastic())
        return dataclasses.replace(
            self,
            motif=motif,
            plans=plans,
            parameters={name: _declared(motif, name) for name in plastic},
            states={p.name: {k: np.full(p.size, float(s.start)) for k, s in p.state.items()} for p in motif.populations}
            | {
                p.name: {k: np.full(self.masks[p.name].shape, float(s.start)) for k, s in p.state.items()}
                for p in motif.projections
            },
        )

    def synapses(self, projection: str) -> tuple[np.ndarray, np.ndarray]:
        """Indices (pre, post) of the synapses that exist, sorted by pre, as Brian2 orders them."""
        pre, post = np.nonzero(self.masks[projection].T)
        return pre, post


@dataclass(frozen=True)
class Cycle:
    """One phase of a step in Brian2, where one tick processes one sample.

    A later phase reads the values that an earlier phase computed for each sample, and the weights that the earlier
    phase changed. Therefore every tick takes its sample through all phases, and the batch is presented once more for
    each phase. During a phase's presentation its changes are summed, while earlier phases run with the weights that
    they used before. Each phase therefore has its own variables for the weights and states that it reads.
    """

    replica: Replica
    phase: str
    plan: Plan  # what the phase computes
    suffix: str  # of the phase's own variables, "" if the motif has a single phase
    changing: frozenset[str]  # the projections whose weights differ between phases

    def weight(self, projection: str) -> str:
        """The synaptic variable that holds the weight at the start of this phase."""
        return WEIGHT + self.suffix if projection in self.changing else WEIGHT

    def current(self, projection: str) -> str:
        """The variable of the postsynaptic neurons that holds the current of this phase."""
        return f"I_{projection}{self.suffix}"


def _declared(motif: Motif, projection: str) -> dict[str, Values]:
    rule = motif.projection(projection).rule
    found: dict[str, Values] = {}
    for name, value in (rule.parameters if rule is not None else {}).items():
        if np.ndim(value) == 1 and len(value) > 1:
            raise ParameterError(
                f"projection {projection!r}: parameter {name!r} has {len(value)} values, one per replica, but a motif "
                "is exported as a single one; give it a number"
            )
        found[name] = value if np.ndim(value) == 2 else float(np.ravel(value)[0])
    return found


def _states(circuit: Circuit, owner: Population | Projection, replica: int, of: str) -> dict[str, np.ndarray]:
    return {name: _array(circuit.state(owner.name, name, of)[replica]).astype(float) for name in owner.state}


def _parameters(circuit: Circuit, projection: str, replica: int) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for name, value in circuit.parameters(projection).items():
        array = _array(value).astype(float)
        array = array[replica] if array.ndim == 1 else array
        array = array * circuit.eta_scale if name == "eta" else array
        found[name] = float(array) if array.ndim == 0 else array
    return found


def _array(value: Any) -> np.ndarray:
    return value.detach().to_dense().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
