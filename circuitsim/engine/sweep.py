"""One cycle of both streams: drives, activities, slopes, traces, errors, dendritic currents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.losses import LOSSES
from circuitsim.engine.lower import Evaluator, lower
from circuitsim.engine.share import Share
from circuitsim.plan import Plan, PopulationPlan

Weights = Callable[[str], Tensor]  # name of a projection -> its values
Noise = Callable[[str, int], Tensor]  # name and size of a population -> [R, B, neuron]


def read_quantity(symbol: sympy.Symbol) -> Evaluator:
    """Read a quantity of the cycle by its name."""
    name = symbol.name
    return lambda env: env[name]


class Sweep:
    """The plan's cycle, lowered. It keeps nothing: quantities go into the mapping given.

    Args:
        plan: what to compute.
        layouts: storage of each projection.
        only: restrict the sweep to these populations (prediction needs no descending stream).
    """

    def __init__(self, plan: Plan, layouts: Mapping[str, Layout], only: Collection[str] | None = None) -> None:
        self.plan, self.layouts = plan, layouts
        chosen = [p for p in plan.populations.values() if only is None or p.name in only]
        self.populations = [(p, self._lower(p)) for p in chosen]
        self.dendrites = [p for p in plan.projections.values() if p.target == "dendrite"]

    @staticmethod
    def _lower(p: PopulationPlan) -> dict[str, Evaluator]:
        if p.source == "kept":
            return {}
        wanted = {"activity": p.activity}
        wanted |= {"slope": p.slope} if p.computes_slope else {}
        wanted |= {"trace": p.trace} if p.computes_trace else {}
        return {f"{kind}[{p.name}]": lower(expression, read_quantity) for kind, expression in wanted.items()}

    def run(
        self,
        env: dict[str, Any],
        weights: Weights,
        inputs: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        noise: Noise | None = None,
    ) -> None:
        """Fill `env` with the quantities of one cycle; what it holds already is kept where nothing drives it.

        Args:
            env: filled with tensors ``[R or 1, B, neuron]`` under the plan's names. Its "share" says what part of a
                batch that is shared among processes these B samples are.
            weights: values of a projection.
            inputs: by population, ``[R or 1, B, neuron]``.
            targets: by output population.
            noise: gives the noise of a population, ``[R, B, neuron]``; None: without.
        """
        env["n_samples"] = n_samples = next(iter(inputs.values())).shape[1]
        env.setdefault("share", Share(n_samples))
        like = next(iter(inputs.values()))
        for p, evaluators in self.populations:
            drive = self._drive(p, env, weights, inputs, targets)
            if drive is not None:
                env[f"drive[{p.name}]"] = drive
            for name, evaluate in evaluators.items():
                value = evaluate(env)
                if not isinstance(value, Tensor):  # a bias unit, or the slope of a linear population
                    value = torch.full((1, n_samples, p.size), value, dtype=like.dtype, device=like.device)
                env[name] = value
                if name.startswith("activity") and p.noise and noise is not None:
                    env[name] = value + p.noise * noise(p.name, p.size)
            if p.source == "kept":
                for kind in ("activity", "drive", "slope"):
                    env.setdefault(f"{kind}[{p.name}]", like.new_zeros(1, n_samples, p.size))

    def _drive(
        self,
        p: PopulationPlan,
        env: dict[str, Any],
        weights: Weights,
        inputs: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
    ) -> Tensor | None:
        if p.source == "input":
            return inputs[p.name]
        if p.source == "error":
            return self._error(p, env, targets)
        drive: Tensor | None = None
        for name in p.soma:
            current = self.layouts[name].current(weights(name), env[f"activity[{self.plan.projections[name].pre}]"])
            env[f"I[{name}]"] = current
            if self.plan.projections[name].gain != 1.0:
                current = current * self.plan.projections[name].gain
            drive = current if drive is None else drive + current
        return drive

    def _error(self, p: PopulationPlan, env: dict[str, Any], targets: Mapping[str, Tensor]) -> Tensor:
        objective = next(o for o in self.plan.objectives if o.error == p.name)
        output = env[f"activity[{objective.output}]"]
        error = LOSSES[objective.loss].minus_gradient(output, targets[objective.output])
        return env["share"].shifted(error) if objective.shuffled else error

    def deliver_to_dendrites(self, env: dict[str, Any], weights: Weights) -> None:
        """Add the dendritic currents, from the traces at the end of the cycle."""
        for p in self.dendrites:
            pre = env.get(f"trace[{p.pre}]", env[f"activity[{p.pre}]"])
            env[f"I[{p.name}]"] = self.layouts[p.name].current(weights(p.name), pre)

    def loss(self, env: Mapping[str, Any], targets: Mapping[str, Tensor]) -> Tensor:
        """The batch mean of the loss, summed over objectives, shape ``[R]``."""
        total = [
            env["share"].mean(LOSSES[o.loss].value(env[f"activity[{o.output}]"], targets[o.output]))[:, 0]
            for o in self.plan.objectives
        ]
        return torch.stack(total).sum(0)
