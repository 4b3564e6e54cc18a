"""One cycle of both streams: drives, activities, slopes, traces, errors, dendritic currents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.layout import Layout
from circuitsim.engine.layout.base import Run
from circuitsim.engine.losses import LOSSES
from circuitsim.engine.lower import Evaluator, lower
from circuitsim.engine.operations import fitting, full
from circuitsim.engine.share import Share
from circuitsim.engine.workspace import Workspace
from circuitsim.plan import Plan, PopulationPlan, ProjectionPlan

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
        self.observers = {name: [o for o in plan.objectives if o.output == name] for name in plan.outputs}
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
            env: holds the "workspace"; filled with tensors ``[R or 1, B, neuron]`` under the plan's names. Its "share"
                says what part of a batch that is shared among processes these B samples are; by default all.
            weights: values of a projection.
            inputs: by population, ``[R or 1, B, neuron]``.
            targets: by output population.
            noise: gives the noise of a population, ``[R, B, neuron]``; None: without.
        """
        workspace: Workspace = env["workspace"]
        env["n_samples"] = n_samples = next(iter(inputs.values())).shape[1]
        env.setdefault("share", Share(n_samples))
        like = next(iter(inputs.values()))
        for p, evaluators in self.populations:
            shape, run = (1, n_samples, p.size), workspace.of((self, p.name))
            drive = self._drive(run, p, env, weights, inputs, targets)
            if drive is not None:
                env[f"drive[{p.name}]"] = drive
            for name, evaluate in evaluators.items():
                value = evaluate(env)
                # a number: a bias unit, or the slope of a linear population
                env[name] = value if isinstance(value, Tensor) else run(name, full, value, like, shape)
                if name.startswith("activity") and p.noise and noise is not None:
                    env[name] = run("noisy", torch.add, env[name], noise(p.name, p.size), alpha=fitting(p.noise, like))
            if p.source == "kept":  # 0 where no phase before has driven it either
                for kind in ("activity", "drive", "slope", *(["trace"] if p.computes_trace else [])):
                    env.setdefault(f"{kind}[{p.name}]", run(kind, full, 0.0, like, shape))
            for o in self.observers.get(p.name, ()):  # what loss and error share, once
                env[f"{o.loss}[{p.name}]"] = LOSSES[o.loss].prepare(run, env[f"activity[{p.name}]"])

    def _drive(
        self,
        run: Run,
        p: PopulationPlan,
        env: dict[str, Any],
        weights: Weights,
        inputs: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
    ) -> Tensor | None:
        if p.source == "input":
            return inputs[p.name]
        if p.source == "error":
            return self._error(run, p, env, targets)
        drive: Tensor | None = None
        for name in p.soma:
            planned = self.plan.projections[name]
            current = self._current(env, weights, planned, env[f"activity[{planned.pre}]"])
            if planned.gain != 1.0:
                current = run((name, "gained"), torch.mul, current, planned.gain)
            drive = current if drive is None else run((name, "sum"), torch.add, drive, current)
        return drive

    def _current(self, env: dict[str, Any], weights: Weights, p: ProjectionPlan, pre: Tensor) -> Tensor:
        run = env["workspace"].of((self, p.name))
        current = env[f"I[{p.name}]"] = self.layouts[p.name].current(run, weights(p.name), pre)
        return current

    def _error(self, run: Run, p: PopulationPlan, env: dict[str, Any], targets: Mapping[str, Tensor]) -> Tensor:
        objective = next(o for o in self.plan.objectives if o.error == p.name)
        prepared = env[f"{objective.loss}[{objective.output}]"]
        error = LOSSES[objective.loss].minus_gradient(run, prepared, targets[objective.output])
        return env["share"].shifted(error, run) if objective.shuffled else error

    def deliver_to_dendrites(self, env: dict[str, Any], weights: Weights) -> None:
        """Add the dendritic currents, but for those "chained", from the traces at the end of the cycle."""
        for p in self.dendrites:
            if p.name in env["chained"]:
                continue
            self._current(env, weights, p, env.get(f"trace[{p.pre}]", env[f"activity[{p.pre}]"]))

    def loss(self, env: Mapping[str, Any], targets: Mapping[str, Tensor]) -> Tensor:
        """The batch mean of the loss, summed over objectives, shape ``[R]``; not a buffer."""
        total: Tensor | None = None
        share: Share = env["share"]
        for o in self.plan.objectives:
            run = env["workspace"].of((self, o.output, "loss"))
            values = LOSSES[o.loss].value(run, env[f"{o.loss}[{o.output}]"], targets[o.output])
            value = values.sum(1).div_(share.n_samples) if share.is_whole else share.mean(values)[:, 0]
            total = value if total is None else total + value
        assert total is not None
        return total
