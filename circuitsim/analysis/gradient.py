"""The exact gradient of the loss at the circuit's current state, computed by torch.autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine import Circuit
from circuitsim.engine.losses import LOSSES
from circuitsim.errors import AnalysisError, check_kind


def loss_gradients(circuit: Circuit, x: Any, target: Any) -> dict[str, Tensor]:
    """Compute dLoss/dW of the batch-mean loss, for every projection on whose weights an output depends.

    The circuit's own program runs under autograd up to the evaluation of the objectives. The gradient of a weight
    includes its effect through weights that are tied to it, as in a network with symmetric feedback, and that of a
    tied weight is its effect alone. A projection onto somata has a gradient even if it is 0. One onto dendrites has a
    gradient if a phase lists it in its `soma`, or if weights that drive somata are tied to it.

    Args:
        circuit: the circuit; it is not changed.
        x, target: as in `Circuit.step`.
    Returns:
        The gradients keyed by projection, each of shape ``[replica, post, pre]``, with 0 for absent synapses.
    Raises:
        AnalysisError: the motif has no objective.
        DataError: `x` or `target` does not fit the motif.
        ParameterError: an output depends on the target.
    Example:
        >>> import torch
        >>> import circuitsim as cs
        >>> from motifs import backprop
        >>> circuit = cs.compile(backprop([4, 3, 2]), seed=0)
        >>> found = cs.loss_gradients(circuit, torch.ones(5, 4), torch.zeros(5, dtype=torch.long))
        >>> {name: tuple(gradient.shape) for name, gradient in found.items()}
        {'W0': (1, 3, 4), 'W1': (1, 2, 3)}
    """
    check_kind("loss_gradients", circuit, Circuit, "cs.compile(motif) makes one")
    if not circuit.motif.objectives:
        raise AnalysisError(
            f"motif {circuit.motif.name!r} has no objective, so its loss has no gradient; add an Objective"
        )
    total: Tensor | None = None
    leaves: dict[str, Tensor] = {}
    with torch.enable_grad():
        for o, output, goal in circuit.judged_outputs(x, target, leaves):
            # replicas are independent, so the gradient of the sum is that of each
            loss = LOSSES[o.loss].of(output, goal).mean(1).sum()
            total = loss if total is None else total + loss
        assert total is not None
        gradients: Sequence[Tensor | None] = [None] * len(leaves)
        if total.requires_grad:  # not where an output is an input, or keeps its activity
            gradients = torch.autograd.grad(total, [*leaves.values()], allow_unused=True)
    found: dict[str, Tensor] = {}
    for (name, weights), gradient in zip(leaves.items(), gradients, strict=True):
        if gradient is not None or circuit.motif.projection(name).compartment == "soma":
            layout = circuit.layouts[name]
            gradient = torch.zeros_like(weights) if gradient is None else gradient
            found[name] = layout.dense(layout.restrict_(gradient)).expand(circuit.n_replicas, -1, -1).detach()
    for name in [*found]:
        tie = circuit.motif.projection(name).tied_to
        if tie is not None and not tie.sign:  # a sign does not change with the weight
            through = tie.scale * (found[name].mT if tie.transpose else found[name])
            found[tie.projection] = found[tie.projection] + through if tie.projection in found else through
    return found
