"""SAL whose V and Vt compete: among a neuron's incoming synapses, and among an axon's outgoing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.sal import sal

# The decay of a synapse grows with the squared weights of its rivals, the synapses onto the same neuron and of the same
# axon; V and Vt^T feel the same. A synapse alone on both sides decays as under L2.
RIVALS = "(sum_in(w**2) + sum_out(w**2) - 2 * w**2)"


def winner_take_all(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    competition: float = 30.0,
    name: str = "winner_take_all",
    **options: Any,
) -> cs.Motif:
    """`motifs.sal` with competition in the decay of V and Vt, which drives the streams to pair one to one.

        dV_l = eta_V (h_l g_l^T - gamma V (1 + competition (sum_in V^2 + sum_out V^2 - 2 V^2)))

    and the same for Vt_l. The gap between V and Vt^T still shrinks: both feel the same competition.

    Args:
        layers, feedback: as in `motifs.sal`.
        competition: how much a rival's squared weight adds to the decay; 0 is plain SAL.
        name: of the motif.
        options: of `motifs.sal`.

    Source: Liao et al. (2024), arXiv 2412.20018, section 3 (Winner-Take-All); the form of the competition is ours.
    """
    motif = sal(layers, feedback, name=name, **options)
    for p in motif.projections:
        if p.is_plastic and p.target == "dendrite" and p.rule is not None:
            rule = cs.Rule(
                f"eta * (post * pre - gamma * w * (1 + competition * {RIVALS}))",
                **p.rule.parameters, competition=competition,
            )  # fmt: skip
            motif = motif.replace(p.name, rule=rule)
    return motif
