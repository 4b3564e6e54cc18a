"""The true gradient of the loss, by torch.autograd, at the state that the circuit is in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.engine.feed import Feed
from circuitsim.engine.sweep import Sweep
from circuitsim.engine.workspace import Workspace
from circuitsim.errors import AnalysisError


def loss_gradients(circuit: Circuit, x: Any, target: Any) -> dict[str, Tensor]:
    """dLoss/dW of the batch-mean loss, for every soma projection that an output depends on.

    The circuit's own sweep is run under autograd; a tied weight is treated as a weight of its own.

    Args:
        circuit: is not changed.
        x, target: as in `Circuit.step`.
    Returns:
        By projection, shape ``[replica, post, pre]``; absent synapses 0.
    Raises:
        AnalysisError: the motif has no objective.
        DataError: x or target does not fit.
    Example:
        >>> import torch
        >>> import circuitsim as cs
        >>> from motifs import backprop
        >>> circuit = cs.compile(backprop([4, 3, 2]), seed=0)
        >>> found = cs.loss_gradients(circuit, torch.ones(5, 4), torch.zeros(5, dtype=torch.long))
        >>> {name: tuple(gradient.shape) for name, gradient in found.items()}
        {'W0': (1, 3, 4), 'W1': (1, 2, 3)}
    """
    plan = circuit.plan
    if not plan.objectives:
        raise AnalysisError(f"motif {circuit.motif.name!r} has no objective, so there is no gradient")
    feed = Feed(circuit.motif, circuit.plans, circuit.n_replicas, circuit.device, circuit.dtype)
    needed = set().union(*(feed.ancestors(circuit.motif, output) for output in plan.outputs))
    inputs = feed.inputs(x)
    targets = feed.targets(target, next(iter(inputs.values())).shape[1])
    sweep = Sweep(plan, circuit.layouts, only=needed)
    leaves = {
        p.name: circuit.values(p.name).clone().requires_grad_() for p in plan.projections.values() if p.post in needed
    }
    soma = {name: leaf for name, leaf in leaves.items() if plan.projections[name].target == "soma"}
    with torch.enable_grad():
        env: dict[str, Any] = {"workspace": Workspace()}  # a fresh one is ordinary torch
        sweep.run(env, leaves.__getitem__, inputs, targets)
        total = sweep.loss(env, targets).sum()  # replicas do not touch each other
        gradients = torch.autograd.grad(total, list(soma.values()))
    found = {}
    for name, gradient in zip(soma, gradients, strict=True):
        layout = circuit.layouts[name]
        found[name] = layout.dense(layout.restrict_(gradient)).expand(circuit.n_replicas, -1, -1).detach()
    return found
