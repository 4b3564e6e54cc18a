"""Programs of random motifs, and what they mean: the NumPy interpreter's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from circuitsim.plan import Program, build_plans, circuitry_of, emit
from circuitsim.plan.interpret import Interpreter
from tests.strategies import batches, motifs

REPLICAS = 2


@dataclass
class Case:
    """A motif with weights, and a batch for it.

    Args:
        motif, circuit: the circuit gives weights, states, masks and parameters; it is not run.
        inputs, targets: by population, as programs take them.
    """

    motif: cs.Motif
    circuit: cs.Circuit
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]

    def program(self, changes: str = "apply") -> Program:
        plans = build_plans(self.motif)
        return emit(plans, circuitry_of(self.motif, plans), changes)

    def run(self, program: Program) -> dict[str, np.ndarray]:
        """Weights and states after a step, the losses, and all that can be read, by name."""
        interpreter = Interpreter(self.states(), self.masks(), self.parameters())
        values = interpreter.run(program, self.inputs, self.targets)
        found = dict(interpreter.states)
        found |= {name: values[register] for name, register in program.readable.items()}
        for name, image in program.images.items():
            found[name] = values[image.base] @ np.asarray(values[image.matrix]).swapaxes(1, 2)
            found[name] = found[name] if image.scale is None else found[name] * values[image.scale]
        found |= {f"loss of {phase}": values[register] for phase, register in program.losses.items()}
        return found

    def states(self) -> dict[str, np.ndarray]:
        found = {}
        for p in self.motif.projections:
            if p.tied_to is None:
                found[f"{p.name}:w"] = self.circuit.weights(p.name).to_dense().numpy()
        return found

    def masks(self) -> dict[str, np.ndarray]:
        return {p.name: self.circuit.mask(p.name).to_dense().numpy() for p in self.motif.projections}

    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for p in self.motif.projections:
            for name, value in p.rule.parameters.items() if p.rule is not None else ():
                array = np.asarray(value)
                found[f"{p.name}:{name}"] = array.reshape(-1, 1, 1) if array.ndim == 1 else array
        return found


@st.composite
def cases(draw: Any, n_samples: int | None = None) -> Case:
    """Of any motif."""
    motif = draw(motifs(replicas=REPLICAS))
    x, target = draw(batches(motif, n_samples))
    circuit = cs.compile(motif, replicas=REPLICAS, seed=draw(st.integers(0, 99)), device="cpu", dtype="float64")
    given = circuit.program.given
    return Case(motif, circuit, by_name(x, list(given.inputs)), by_name(target, list(given.targets)))


def by_name(values: Any, names: list[str]) -> dict[str, np.ndarray]:
    """What programs take: ``[1, batch, neuron]``, classes ``[1, batch, 1]``."""
    found = values if isinstance(values, dict) else dict.fromkeys(names, values)
    return {name: (v[None, :, None] if v.ndim == 1 else v[None]) for name, v in found.items()}


def assert_same(got: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float, where: str = "") -> None:
    """Equal relative to the largest number of each array, where that is finite."""
    for name, value in expected.items():
        value = np.asarray(value)
        if np.isfinite(value).all():
            assert np.isfinite(got[name]).all(), where + name
            scale = max(1e-3, np.abs(value).max(initial=0.0))
            np.testing.assert_allclose(
                got[name] + 0 * value, value, rtol=0, atol=tolerance * scale, err_msg=where + name
            )
