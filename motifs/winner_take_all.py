"""SAL whose V and Vt compete: among a neuron's incoming synapses, and among an axon's outgoing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.sal import sal

# What a synapse's decay grows with; V and Vt^T feel the same. A synapse alone on both sides decays as under L2.
# "all": the squared weights of all rivals, the synapses onto the same neuron and of the same axon.
# "strongest": how far it is behind the largest synapse of its neuron, and of its axon; 0 for the largest of both.
RIVALS = {
    "all": "(sum_in(w**2) + sum_out(w**2) - 2 * w**2)",
    "strongest": "(2 - w**2 / (max_in(w**2) + 1e-12) - w**2 / (max_out(w**2) + 1e-12))",
}


def winner_take_all(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    competition: float = 40.0,
    rivals: str = "strongest",
    name: str = "winner_take_all",
    **options: Any,
) -> cs.Motif:
    """`motifs.sal` with competition in the decay of V and Vt::

        dV_l = eta_V (h_l g_l^T - gamma V (1 + competition R))
        R = sum_in V^2 + sum_out V^2 - 2 V^2                                 rivals="all"
        R = (1 - V^2 / max_in V^2) + (1 - V^2 / max_out V^2)                 rivals="strongest"

    and the same for Vt_l. With "all", synapses of like drive stay alike (equal weights are a stable state wherever
    more than three compete), so the projections get weaker but hardly sparser, at any competition. With "strongest"
    the largest synapse of its neuron and axon is spared, and a neuron of either stream comes to get most of its input
    from the other stream through one synapse (`circuitsim.studies.winner_take_all` measures both).

    Args:
        layers, feedback: as in `motifs.sal`.
        competition: how much rivals add to the decay; 0 is plain SAL. By default the least of 10, 20, 30, 40, ... at
            which, with "strongest", the largest synapse of a neuron holds three times its share under plain SAL, in V
            and in Vt, with 5 seeds and with 8 (digits: 4.0 and 3.3 times, at 0.3 points of validation accuracy).
        rivals: "all" or "strongest".
        name: of the motif.
        options: of `motifs.sal`.
    Returns:
        The motif.
    Raises:
        MotifError: `rivals` is neither, or sizes do not fit.
    Example:
        >>> from motifs import winner_take_all
        >>> winner_take_all([64, 32, 10], competition=10.0).projection("V1").rule.parameters["competition"]
        10.0

    Source: Liao et al. (2024), arXiv 2412.20018, section 3 (Winner-Take-All); the form of the competition is ours.
    """
    if rivals not in RIVALS:
        raise cs.MotifError(f"winner_take_all: rivals must be one of {list(RIVALS)} (got {rivals!r})")
    motif = sal(layers, feedback, name=name, **options)
    for p in motif.projections:
        if p.is_plastic and p.target == "dendrite" and p.rule is not None:
            rule = cs.Rule(
                f"eta * (post * pre - gamma * w * (1 + competition * {RIVALS[rivals]}))",
                **p.rule.parameters, competition=competition,
            )  # fmt: skip
            motif = motif.replace(p.name, rule=rule)
    return motif
