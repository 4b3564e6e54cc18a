"""Rewiring: weak synapses are replaced by new ones while a circuit learns."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False)
class Rewiring(Value):
    """Every so many steps, the weakest synapses of a projection go, and as many grow at random places.

    This happens at the end of a step, after its changes, in each replica by itself. A place is any pair of neurons
    without a synapse, also one that has just lost its own, but none of a lesioned neuron. New weights are drawn as in
    `Circuit.grow`. Pinned replicas and frozen projections stay as they are.

    Args:
        every_steps: the number of steps from one rewiring to the next, 1 or more.
        share: the share of the existing synapses that is replaced, in (0, 1]; their number is rounded down.
    Source: sparse evolutionary training, Mocanu et al. (2018), Nature Communications 9:2383.
    """

    every_steps: int
    share: float
